// "Export my progress": what was solved in this browser, and when, as a file. Nothing is sent.
(() => {
  const read = (key, empty) => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "null") ?? empty;
    } catch {
      return empty;
    }
  };
  const time = () => new Date().toISOString().replace(/\.\d+Z$/, "+00:00");
  const exported = (name) => {
    // the names that frontend/python/src/store.ts writes
    const names = read("nnlib-progress", []);
    const when = read("nnlib-progress-when", {});
    const solved = (Array.isArray(names) ? names : []).filter((n) => typeof n === "string").sort();
    return {
      format: "sigmoid-to-sequence progress", version: 1, name, exported: time(),
      solved: Object.fromEntries(solved.map((n) => [n, typeof when[n] === "string" ? when[n] : null])),
    };
  };
  const save = (made) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(made, null, 1) + "\n"], { type: "application/json" }));
    link.download = `progress-${made.name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-") || "mine"}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const ownTab = () => {
    const link = document.createElement("a");
    link.href = link.textContent = location.href.replace(/#.*/, "");
    Object.assign(link, { target: "_blank", rel: "noopener" });
    return link;
  };
  // A frame without an origin of its own shares no store with the book's other pages, so it knows nothing of them.
  const apart = window.origin === "null" && location.protocol !== "file:";
  const framed = window !== window.top;
  /** Saves the file, where there is something to save, and says what came of it. */
  const answer = (name) => {
    if (apart) {
      return ["Nothing can be exported here: the page stands in a frame that cannot see what was solved. Open it in its own tab: ", ownTab()];
    }
    const made = exported(name);
    save(made);
    const count = Object.keys(made.solved).length;
    const told = `A file with ${count} solved exercise${count === 1 ? "" : "s"}. Nothing was sent.`;
    // whether a frame may save files, it cannot find out
    return framed ? [`${told} If no file has come, the page stands in a frame that may save none. Open it in its own tab: `, ownTab()] : [told];
  };
  addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article.bd-article");
    if (!article?.querySelector(".nn-solved, details.nn-solution")) return;
    // no form: a frame without "allow-forms" would not let it be sent, and say nothing
    const box = document.createElement("div");
    box.className = "nn-export";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Export my progress");
    const label = document.createElement("label");
    const field = document.createElement("input");
    Object.assign(field, { type: "text", autocomplete: "name", required: true });
    label.append("Your name ", field);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Export my progress";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    box.append(label, button, said);
    const act = () => {
      if (field.reportValidity()) said.replaceChildren(...answer(field.value.trim()));
    };
    button.addEventListener("click", act);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") act();
    });
    article.append(box);
  });
})();
