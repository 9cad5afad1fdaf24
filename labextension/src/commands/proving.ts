/** Asks before a bundle is made: proving it runs the user's cells again. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { Kind } from './exports';

// As one text: a screen reader hears it as the name of the dialog.
const QUESTION =
  'Prove it: run its cells again in a fresh process, on this machine and with your ' +
  'rights, which takes about as long as it took. Do so only with code that you trust. ' +
  'Without proof: nothing is run, and the bundle says UNPROVEN.';

/** The kind of bundle that is wanted; null: none. */
export async function askForProof(names: readonly string[]): Promise<Kind | null> {
  const [name] = names;
  const what = names.length > 1 ? `bundles of ${names.length} runs` : `a bundle of ${name}`; // prettier-ignore
  const { button } = await showDialog({
    title: `Export ${what}`,
    body: QUESTION,
    buttons: [
      Dialog.cancelButton(),
      Dialog.createButton({ label: 'Without proof', actions: ['bundle-unproven'] }),
      Dialog.okButton({ label: 'Prove it', actions: ['bundle'] }),
    ],
    defaultButton: 2,
  });
  return (button.actions[0] as Kind | undefined) ?? null;
}
