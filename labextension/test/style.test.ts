import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NOTEBOOK_CSS } from '../src/notebook/style';
import { PANES_CSS } from '../src/panes/style';
import { SIDEBAR_CSS } from '../src/sidebar/style';
import { CSS } from '../src/style';

const SHARED = join(__dirname, '../src/shared');

function shared(): string {
  return readdirSync(SHARED, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(SHARED, file), 'utf8'))
    .join('\n');
}

/** Classes that a rule begins with. */
function begun(css: string): string[] {
  const rules = css.match(/^\.nbt-[a-z-]+/gm) ?? [];
  return rules.map((rule) => rule.slice(1));
}

describe('the style of the extension', () => {
  it('leaves the panels alone, which stand in the same page', () => {
    const ours = begun([CSS, SIDEBAR_CSS, PANES_CSS, NOTEBOOK_CSS].join('\n'));
    expect(ours.length).toBeGreaterThan(30);
    const theirs = new Set(shared().match(/nbt-[a-z-]+/g));
    expect(ours.filter((name) => theirs.has(name))).toEqual([]);
  });
});
