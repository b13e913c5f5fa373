// Why a file of Python's could not be had, as far as a browser lets a page know.

/** `checked`: the file's hash is known, so that a file that came may have been refused. */
export async function reason(address: string, checked: boolean, ask: typeof fetch): Promise<string> {
  const { origin, pathname } = new URL(address);
  const name = pathname.split("/").pop() ?? pathname;
  const heard = await ask(address, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (heard && !heard.ok) return `${name} is not there: ${origin} answers ${heard.status} for ${pathname}.`;
  const kind = heard?.headers.get("Content-Type") ?? "";
  if (heard && /\.m?js$/.test(name) && !kind.includes("javascript")) return `${origin} sends ${name} as “${kind}”; it must be text/javascript.`;
  if (heard && checked) return `${name} did not come whole, or it is not the file that this book was built with (its hash differs).`;
  if (heard) return `${name} broke off on its way.`;
  if (origin !== location.origin && (await ask(address, { method: "HEAD", mode: "no-cors", cache: "no-store" }).catch(() => null)))
    return `${origin} does not let pages of other sites read ${name}: it must send Access-Control-Allow-Origin.`;
  return `${name} could not be had: ${origin} does not answer. Is the network there?`;
}
