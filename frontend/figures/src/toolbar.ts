// The tools below a figure: reset, links, pictures, the figure as a file; and their messages.

import { action, element, setText } from "./dom.js";
import { makeLink } from "./link.js";
import { download, savePicture } from "./picture.js";
import { figurePage } from "./save.js";
import type { Scene } from "./scene.js";

export interface Toolbar {
  readonly root: HTMLElement;
  /** Shows a message that disappears after some time. */
  showMessage(message: string, milliseconds?: number): void;
}

/** `content` is the part that saved pictures show; `reset` resets the rest of the figure, such as its training. */
export function toolbar(scene: Scene, content: HTMLElement, figure: HTMLElement, reset: () => void): Toolbar {
  const { name } = scene.spec;
  const status = element("span", { class: "nn-status", role: "status" });
  const showMessage = (message: string, milliseconds = 2500): void => {
    setText(status, message);
    setTimeout(() => setText(status, ""), milliseconds);
  };
  const copyLink = (): void => {
    const link = makeLink(scene);
    figure.dataset["link"] = link;
    const inAddressBar = (): void => {
      history.replaceState(null, "", link);
      showMessage("The link is in the address bar.");
    };
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => showMessage("Link copied."), inAddressBar);
    else inAddressBar();
  };
  const root = element("div", { class: "nn-toolbar" },
    tool("Reset", () => {
      scene.reset();
      reset();
      showMessage("Reset.");
    }),
    tool("Copy link", copyLink),
    tool("Save SVG", () => void savePicture(content, name, "svg")),
    tool("Save PNG", () => void savePicture(content, name, "png").catch((e: unknown) => showMessage(String(e)))),
    tool("Save figure", () => {
      download(new Blob([figurePage(scene)], { type: "text/html" }), `${name}.html`);
      showMessage(`${name}.html opens without the book and without a network.`, 6000);
    }),
    status);
  return { root, showMessage };
}

const tool = (label: string, act: () => void): HTMLButtonElement => action(label, act, { class: "nn-tool" });
