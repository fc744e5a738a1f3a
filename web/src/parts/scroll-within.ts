/** Brings a child into sight by scrolling its box only; the page around it stays where it is. */
export function scrollWithin(box: HTMLElement | null, child: HTMLElement | null | undefined): void {
  if (!box || !child) return;
  const outer = box.getBoundingClientRect();
  const inner = child.getBoundingClientRect();
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
}
