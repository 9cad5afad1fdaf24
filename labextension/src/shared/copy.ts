/** A button that copies a line of code, or selects it where the page has no clipboard. */

import { h, setText } from './dom';

const SAID_MS = 1500;

export function copyButton(code: HTMLElement): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'nbt-copy' }, 'Copy');
  button.addEventListener('click', () => void copied(button, code));
  return button;
}

async function copied(button: HTMLElement, code: HTMLElement): Promise<void> {
  // Pages that are not served over https or from localhost have no clipboard.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  const isDone = clipboard
    ? await clipboard.writeText(code.textContent ?? '').then(
        () => true,
        () => false,
      )
    : false;
  if (!isDone) getSelection()?.selectAllChildren(code);
  setText(button, isDone ? 'Copied' : 'Selected');
  setTimeout(() => setText(button, 'Copy'), SAID_MS);
}
