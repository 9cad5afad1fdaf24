/** Elements without markup strings: text from a run only ever becomes a text node. */

import type { Disposable } from './wire';

type Child = Node | string;

/** Make an element; `props` are attributes, `children` are nodes or plain text. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set the text only where it differs, so that a quiet panel causes no layout. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Call `draw` at most once per animation frame, however often it is asked for. */
export class FrameScheduler implements Disposable {
  private handle = 0;

  constructor(private readonly draw: () => void) {}

  request(): void {
    if (this.handle) return;
    this.handle = requestAnimationFrame(() => {
      this.handle = 0;
      this.draw();
    });
  }

  dispose(): void {
    if (this.handle) cancelAnimationFrame(this.handle);
    this.handle = 0;
  }
}
