// The tools below a figure: reset, links, pictures, the figure as a file; and what they say.

import { action, element, setText } from "./dom.js";
import { makeLink } from "./link.js";
import { download, savePicture } from "./picture.js";
import { figurePage } from "./save.js";
import type { Scene } from "./scene.js";

export interface Toolbar {
  readonly root: HTMLElement;
  /** A line that goes away by itself. */
  say(message: string, milliseconds?: number): void;
}

/** `content` is what a picture shows, `reset` brings back what is not an input. */
export function toolbar(scene: Scene, content: HTMLElement, figure: HTMLElement, reset: () => void): Toolbar {
  const { name } = scene.spec;
  const said = element("span", { class: "nn-said", role: "status" });
  const say = (message: string, milliseconds = 2500): void => {
    setText(said, message);
    setTimeout(() => setText(said, ""), milliseconds);
  };
  const copyLink = (): void => {
    const link = makeLink(scene);
    figure.dataset["link"] = link;
    const inAddressBar = (): void => {
      history.replaceState(null, "", link);
      say("The link is in the address bar.");
    };
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => say("Link copied."), inAddressBar);
    else inAddressBar();
  };
  const root = element("div", { class: "nn-toolbar" },
    tool("Reset", () => {
      scene.reset();
      reset();
      say("Reset.");
    }),
    tool("Copy link", copyLink),
    tool("Save SVG", () => void savePicture(content, name, "svg")),
    tool("Save PNG", () => void savePicture(content, name, "png").catch((e: unknown) => say(String(e)))),
    tool("Save figure", () => {
      download(new Blob([figurePage(scene)], { type: "text/html" }), `${name}.html`);
      say(`${name}.html opens without the book and without a network.`, 6000);
    }),
    said);
  return { root, say };
}

const tool = (label: string, act: () => void): HTMLButtonElement => action(label, act, { class: "nn-tool" });
