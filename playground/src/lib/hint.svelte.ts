/** A line of explanation at a control: shown on hover, on focus by Tab and on a long touch; Escape hides it. */

interface Shown {
  text: string;
  rectangle: DOMRect;
}

/** The one explanation that is shown; `components/Hint.svelte` draws it. */
export const shown = $state<{ hint: Shown | null }>({ hint: null });

const WAIT = 350;
const LONG_TOUCH = 500;
const TOUCH_LASTS = 2500;
export const HINT_ID = "hint";

let owner: HTMLElement | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Whether the focus was moved by Tab: not by a click, nor back from a dialog that was closed. */
let byTab = false;
window.addEventListener("keydown", ({ key }) => (byTab = key === "Tab"), true);
window.addEventListener("pointerdown", () => (byTab = false), true);
/** Where the pointer was last: what comes under a pointer that rests, as when a dialog closes, is not explained. */
let rested = { x: -1, y: -1 };
for (const type of ["pointermove", "pointerdown"] as const) {
  window.addEventListener(type, ({ clientX, clientY }) => (rested = { x: clientX, y: clientY }), true);
}

function show(node: HTMLElement, text: string): void {
  owner = node;
  shown.hint = { text, rectangle: node.getBoundingClientRect() };
}

/** Hides the explanation of this control, or any. */
export function hideHint(node: HTMLElement | null = owner): void {
  clearTimeout(timer);
  if (node !== owner) return;
  owner = null;
  shown.hint = null;
}

/** An action: explains the element (or the control inside it) by this text. */
export function hint(node: HTMLElement, given: string | undefined): { update(text: string | undefined): void; destroy(): void } {
  let text = given ?? "";
  const control = node.matches("button, input, select, a, summary") ? node : node.querySelector("input, select, button");
  control?.setAttribute("aria-description", text);
  const soon = (event: PointerEvent): void => {
    clearTimeout(timer);
    if (event.clientX === rested.x && event.clientY === rested.y) return;
    if (text && event.pointerType !== "touch") timer = setTimeout(() => show(node, text), WAIT);
  };
  const touched = (event: PointerEvent): void => {
    hideHint();
    if (text && event.pointerType === "touch") timer = setTimeout(() => show(node, text), LONG_TOUCH);
  };
  /** A tap acts and explains nothing; what a long touch has shown goes by itself. */
  const released = (event: PointerEvent): void => {
    if (event.pointerType !== "touch") return;
    clearTimeout(timer);
    if (owner === node) timer = setTimeout(() => hideHint(node), TOUCH_LASTS);
  };
  const focused = (event: FocusEvent): void => {
    clearTimeout(timer);
    if (text && byTab && (event.target as HTMLElement).matches(":focus-visible")) timer = setTimeout(() => show(node, text), WAIT);
  };
  const left = (event: Event): void => {
    clearTimeout(timer);
    if (!(event instanceof PointerEvent && event.pointerType === "touch")) hideHint(node);
  };
  node.addEventListener("pointerenter", soon);
  node.addEventListener("pointerdown", touched);
  node.addEventListener("pointerup", released);
  node.addEventListener("pointercancel", released);
  node.addEventListener("focusin", focused);
  node.addEventListener("pointerleave", left);
  node.addEventListener("focusout", left);
  return {
    update(next) {
      text = next ?? "";
      control?.setAttribute("aria-description", text);
      if (owner === node && text) show(node, text);
    },
    destroy: () => hideHint(node),
  };
}
