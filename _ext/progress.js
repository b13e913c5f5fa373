// "Export my progress": saves a file with the exercises solved in this browser, and when. Nothing is sent.
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
    return { // the format that export_progress in course/kit/progress.py writes (FORMAT)
      format: "sigmoid-to-sequence progress", version: 1, name, exported: time(),
      solved: Object.fromEntries(solved.map((n) => [n, typeof when[n] === "string" ? when[n] : null])),
    };
  };
  const save = (progress) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(progress, null, 1) + "\n"], { type: "application/json" }));
    link.download = `progress-${progress.name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-") || "mine"}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const linkToOwnTab = () => {
    const link = document.createElement("a");
    link.href = link.textContent = location.href.replace(/#.*/, "");
    Object.assign(link, { target: "_blank", rel: "noopener" });
    return link;
  };
  // A frame without an origin of its own cannot read what the book's other pages have stored.
  const isolated = window.origin === "null" && location.protocol !== "file:";
  const framed = window !== window.top;
  /** Saves the file, unless the frame is isolated; returns the message for the reader. */
  const exportAs = (name) => {
    if (isolated) {
      return ["Nothing can be exported here: the page is in a frame that cannot see what was solved. Open it in its own tab: ", linkToOwnTab()];
    }
    const progress = exported(name);
    save(progress);
    const count = Object.keys(progress.solved).length;
    const message = `A file with ${count} solved exercise${count === 1 ? "" : "s"}. Nothing was sent.`;
    // a frame cannot find out whether it may save files
    return framed ? [`${message} If no file was saved, the page is in a frame that may not save files. Open it in its own tab: `, linkToOwnTab()] : [message];
  };
  addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article.bd-article");
    if (!article?.querySelector(".nn-solved, details.nn-solution")) return;
    // not a form: a frame without "allow-forms" would block it without a message
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
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    box.append(label, button, status);
    const submit = () => {
      if (field.reportValidity()) status.replaceChildren(...exportAs(field.value.trim()));
    };
    button.addEventListener("click", submit);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") submit();
    });
    article.append(box);
  });
})();
