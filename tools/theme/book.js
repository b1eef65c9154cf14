// The page's own script: light and dark, contents, where one was, copying, keys. Without it the book still reads.
(() => {
  const html = document.documentElement, root = html.dataset.root, all = (s, e = document) => [...e.querySelectorAll(s)];

  // What is kept for the next visit, where the browser lets a page keep anything.
  const keep = (name, value) => { try { localStorage.setItem(`nnbook-${name}`, value); } catch {} };
  const kept = (name) => { try { return localStorage.getItem(`nnbook-${name}`); } catch { return null; } };

  // On the page in place of a lost one, whose links start at the site's root, those within the page stay there.
  if (document.querySelector("base")) all('a[href^="#"]').forEach((a) => { a.href = location.pathname + a.getAttribute("href"); });

  // Light and dark: the reader's choice is kept; until there is one, the system's holds (see the script in the head).
  all("[data-scheme]").forEach((button) => button.addEventListener("click", () => {
    const dark = html.classList.toggle("quarto-dark");
    html.classList.toggle("quarto-light", !dark);
    keep("scheme", dark ? "dark" : "light");
  }));

  // Contents on a narrow screen; on a wide one, keep the current chapter in view and mark the section being read.
  const menu = document.querySelector("[data-menu]"), contents = document.getElementById("contents");
  const open = (on) => { document.body.classList.toggle("menu-open", on); menu.setAttribute("aria-expanded", on); if (on) scrollTo(0, 0); };
  menu.addEventListener("click", () => open(!document.body.classList.contains("menu-open")));
  contents.addEventListener("click", (e) => { if (e.target.closest("a")) open(false); });
  const here = contents.querySelector("[aria-current]");
  if (here && here.offsetTop > contents.clientHeight * 0.7) contents.scrollTop = here.offsetTop - contents.clientHeight / 3;
  const sections = all(".sections a", contents).map((a) => [a, document.getElementById(decodeURIComponent(a.hash.slice(1)))]).filter(([, s]) => s);
  const reading = () => sections.findLast(([, s]) => s.getBoundingClientRect().top < innerHeight * 0.3);
  const mark = () => {
    const now = reading();
    sections.forEach(([a]) => a.classList.toggle("seen", !!now && a === now[0]));
  };
  if (sections.length) { addEventListener("scroll", mark, { passive: true }); mark(); }

  // Where one was: kept for each page when it is left, as section and share of it; the page, and the book's first page, offer to go on there.
  const path = html.dataset.path, place = JSON.parse(kept(`place-${path}`)), last = JSON.parse(kept("last"));
  const offer = (href, text, go) => {
    const a = document.createElement("a"), header = document.getElementById("title-block-header");
    a.className = "resume"; a.href = href; a.textContent = `Continue at “${text}”`;
    if (go) a.addEventListener("click", go);
    if (!header.querySelector(".run")) header.append(Object.assign(document.createElement("p"), { className: "run" }));
    header.querySelector(".run").prepend(a);
  };
  const section = place && document.getElementById(place.id);
  if (section && !location.hash) {
    offer(`#${place.id}`, place.text, (e) => {
      e.preventDefault();
      scrollTo(0, scrollY + section.getBoundingClientRect().top + place.share * section.offsetHeight);
    });
  }
  if (path === "index.html" && last) offer(root + last.href, last.text);
  const leave = () => {
    const [a, s] = reading() || [];
    if (!a) return;
    const box = s.getBoundingClientRect(), now = { id: s.id, text: a.textContent, share: Math.max(0, -box.top / box.height) };
    keep(`place-${path}`, JSON.stringify(now));
    keep("last", JSON.stringify({ href: `${path}#${s.id}`, text: `${document.querySelector("main h1").textContent}: ${a.textContent}` }));
  };
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", leave);

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

  // Keys: o opens and closes the code, the arrows or p and n lead to the page before and after; not while one types, moves a slider or scrolls a block.
  const ways = { ArrowLeft: "prev", p: "prev", ArrowRight: "next", n: "next" };
  addEventListener("keydown", (e) => {
    if (e.target.closest?.("input, textarea, select, [contenteditable], dialog, [tabindex='0']") || e.ctrlKey || e.metaKey || e.altKey || e.shiftKey) return;
    if (e.key === "o" && control) openAll();
    document.querySelector(`.way [rel="${ways[e.key]}"]`)?.click();
  });
})();
