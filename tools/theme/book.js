// The page's own script: light and dark, contents, copying. Without it the book still reads.
(() => {
  const html = document.documentElement, root = html.dataset.root, all = (s, e = document) => [...e.querySelectorAll(s)];

  // Light and dark: the reader's choice is kept; until there is one, the system's holds (see the script in the head).
  all("[data-scheme]").forEach((button) => button.addEventListener("click", () => {
    const dark = html.classList.toggle("quarto-dark");
    html.classList.toggle("quarto-light", !dark);
    try { localStorage.setItem("nnbook-scheme", dark ? "dark" : "light"); } catch {}
  }));

  // Contents on a narrow screen; on a wide one, keep the current chapter in view and mark the section being read.
  const menu = document.querySelector("[data-menu]"), contents = document.getElementById("contents");
  const open = (on) => { document.body.classList.toggle("menu-open", on); menu.setAttribute("aria-expanded", on); if (on) scrollTo(0, 0); };
  menu.addEventListener("click", () => open(!document.body.classList.contains("menu-open")));
  contents.addEventListener("click", (e) => { if (e.target.closest("a")) open(false); });
  const here = contents.querySelector("[aria-current]");
  if (here && here.offsetTop > contents.clientHeight * 0.7) contents.scrollTop = here.offsetTop - contents.clientHeight / 3;
  const sections = all(".sections a", contents).map((a) => [a, document.getElementById(decodeURIComponent(a.hash.slice(1)))]).filter(([, s]) => s);
  const mark = () => {
    const now = sections.filter(([, s]) => s.getBoundingClientRect().top < innerHeight * 0.3).pop();
    sections.forEach(([a]) => a.classList.toggle("seen", !!now && a === now[0]));
  };
  if (sections.length) { addEventListener("scroll", mark, { passive: true }); mark(); }

  // Folds: a link or a search hit that leads into one opens it; one control and one key open and close the code of the whole page.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (target) target.scrollIntoView();
  };
  if (location.hash) reveal();
  addEventListener("hashchange", reveal);
  addEventListener("click", (e) => { const a = e.target.closest?.("a[href]"); if (a && a.hash && a.href === location.href) reveal(); });
  const folds = all("details.code-fold"), control = document.querySelector("[data-folds]");
  const openAll = () => {
    const on = control.getAttribute("aria-pressed") !== "true";
    control.setAttribute("aria-pressed", on);
    control.firstElementChild.textContent = on ? "Close all code" : "Open all code";
    folds.forEach((fold) => { fold.open = on; });
    reachable();
  };
  control?.addEventListener("click", openAll);

  // What is wider than its place scrolls inside itself, and the keyboard reaches it.
  const reachable = () => all("main pre, .sd-table, .nn-scroll, .nn-equation > p").forEach((e) => {
    if (e.scrollWidth > e.clientWidth + 1) e.tabIndex = 0; else e.removeAttribute("tabindex");
  });
  reachable();
  folds.forEach((fold) => fold.addEventListener("toggle", reachable));
  addEventListener("resize", reachable);
  document.fonts?.ready.then(reachable);

  // Copy buttons.
  all("main pre.code").forEach((pre) => {
    const box = document.createElement("div"), button = document.createElement("button");
    box.className = "codebox"; button.className = "copy"; button.type = "button"; button.textContent = "Copy";
    pre.replaceWith(box); box.append(pre, button);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.textContent.trimEnd() + "\n");
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  });

  addEventListener("keydown", (e) => {
    const typing = e.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (e.key === "o" && control && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) openAll();
  });
})();
