import { describe, expect, it } from 'vitest';

import { PickCard } from '../src/shared/pick';

const MARK = {
  name: '<b>mlp',
  version: 3,
  step: 40,
  at: 0,
  metrics: { acc: 0.5 },
  gone: null,
};
const POINT = { metric: 'loss', step: 41, value: 0.25 };

describe('the card of a point', () => {
  it('has the checkpoint, its metrics and the line that loads it', () => {
    const card = new PickCard();
    card.show('06a', { ...POINT, mark: MARK }, false);

    expect(card.element.hidden).toBe(false);
    expect(card.element.querySelector('b')?.textContent).toBe('<b>mlp:v3');
    expect(card.element.textContent).toContain('loss 0.2500 @ step 41');
    expect(card.element.textContent).toContain('@ step 40 · acc 0.5000');
    expect(card.element.querySelector('code')?.textContent).toBe(
      'nbtrack.load_checkpoint("06a", step=40, name="<b>mlp")',
    );
  });

  it('says that a pruned one is gone, and has no line for it', () => {
    const card = new PickCard();
    card.show('06a', { ...POINT, mark: { ...MARK, gone: 'pruned' } }, false);

    expect(card.element.textContent).toContain('pruned: its file is not kept any more');
    expect(card.element.querySelector('code')?.hidden).toBe(true);
    expect(card.element.querySelector('code')?.textContent).toBe('');
  });

  it('says where there is none, or that older ones are elsewhere', () => {
    const card = new PickCard();
    card.show('06a', { ...POINT, mark: null }, false);
    expect(card.element.textContent).toContain('no checkpoint was saved up to here');
    card.show('06a', { ...POINT, mark: null }, true);
    expect(card.element.textContent).toContain('older checkpoints are in %artifacts');
  });

  it('is closed by its cross', () => {
    const card = new PickCard();
    card.show('06a', { ...POINT, mark: MARK }, false);
    card.element.querySelector<HTMLElement>('.nbt-close')?.click();
    expect(card.element.hidden).toBe(true);
  });
});
