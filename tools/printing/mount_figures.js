// Runs first in a built page that is printed or put into an e-book: mounts its figures, in the light theme.
async () => {
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const article = document.querySelector("article.bd-article");
  document.documentElement.dataset.theme = "light";
  // figures are mounted when they become visible
  for (let y = 0; y < document.documentElement.scrollHeight; y += 700) {
    scrollTo(0, y);
    await frames();
  }
  const deadline = performance.now() + 20_000;
  while (article.querySelector(".nn-fallback, [data-nn-model]") && performance.now() < deadline) await frames();
}
