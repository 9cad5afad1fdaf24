/** What jsdom lacks of a browser, as far as importing and mounting the panel needs it. */

globalThis.matchMedia = ((query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
})) as unknown as typeof matchMedia;

globalThis.ResizeObserver = class {
  observe(): void {
    // jsdom lays nothing out: no size ever changes.
  }
  unobserve(): void {
    // See above.
  }
  disconnect(): void {
    // See above.
  }
};

/** Lumino's dragging derives from it; nothing is dragged here. */
globalThis.DragEvent ??= class extends MouseEvent {} as unknown as typeof DragEvent;

globalThis.requestIdleCallback ??= (work) =>
  setTimeout(() => work({ didTimeout: true, timeRemaining: () => 0 }), 0) as unknown as number; // prettier-ignore
