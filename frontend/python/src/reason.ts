// Why a file of the page's Python could not be loaded, as far as a browser gives the reason to a page.

/** `checked`: the browser checks the file's hash, so it may have refused a file that arrived. */
export async function reason(address: string, checked: boolean, request: typeof fetch): Promise<string> {
  const { origin, pathname } = new URL(address);
  const name = pathname.split("/").pop() ?? pathname;
  const response = await request(address, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (response && !response.ok) return `${name} is not there: ${origin} answers ${response.status} for ${pathname}.`;
  const contentType = response?.headers.get("Content-Type") ?? "";
  if (response && /\.m?js$/.test(name) && !contentType.includes("javascript")) return `${origin} sends ${name} as “${contentType}”; it must be text/javascript.`;
  if (response && checked) return `${name} arrived incomplete, or it is not the file that this book was built with (its hash differs).`;
  if (response) return `the download of ${name} was interrupted.`;
  if (origin !== location.origin && (await request(address, { method: "HEAD", mode: "no-cors", cache: "no-store" }).catch(() => null)))
    return `${origin} does not let pages of other sites read ${name}: it must send Access-Control-Allow-Origin.`;
  return `${name} could not be loaded: ${origin} does not answer. Are you online?`;
}
