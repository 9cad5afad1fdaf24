/** Colours of the curves: told apart by colour-blind eyes, in a light or dark page. */

import type { MetricMeta } from './wire';

/** Okabe and Ito's palette; the first two pair train with validation. */
const LIGHT = ['#0072b2', '#d55e00', '#009e73', '#b0588f', '#8a6d00', '#2b8cbe'];
const DARK = ['#56b4e9', '#f5903d', '#2bc795', '#e08fc2', '#e6c84a', '#a6cee3'];

export interface Theme {
  palette: readonly string[];
  ghost: string;
  text: string;
  grid: string;
}

/** Read from the page: JupyterLab's variables, or the system's scheme without them. */
export function themeOf(element: Element): Theme {
  const isDark = isDarkPage(element);
  const style = getComputedStyle(element);
  const variable = (name: string, fallback: string): string =>
    style.getPropertyValue(name).trim() || fallback;
  return {
    palette: isDark ? DARK : LIGHT,
    ghost: isDark ? '#8a8a8a' : '#a3a3a3',
    text: variable('--nbt-muted', isDark ? '#b0b0b0' : '#616161'),
    grid: isDark ? 'rgba(255,255,255,0.09)' : 'rgba(0,0,0,0.08)',
  };
}

export function isDarkPage(element: Element): boolean {
  const declared = document.body.dataset['jpThemeLight'];
  if (declared !== undefined) return declared === 'false';
  const behind = backgroundOf(element);
  if (behind) return behind < 128;
  return globalThis.matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Brightness (0 to 255) of the first painted background at or above the element. */
function backgroundOf(element: Element): number | null {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const parts = getComputedStyle(at)
      .backgroundColor.match(/[\d.]+/g)
      ?.map(Number);
    if (parts && parts.length >= 3 && (parts[3] ?? 1) > 0.5)
      return ((parts[0] ?? 0) + (parts[1] ?? 0) + (parts[2] ?? 0)) / 3;
  }
  return null;
}

const PLAIN_BESIDE_TRAIN = 3; // `loss` beside `train_loss`: not validation's colour

/** The same role has the same colour in every chart. */
export function colourIndices(family: readonly MetricMeta[]): number[] {
  const taken = new Set<number>();
  const hasTrain = family.some((meta) => meta.role === 'train');
  return family.map((meta) => {
    const isBeside = meta.role === '' && hasTrain;
    let index = isBeside ? PLAIN_BESIDE_TRAIN : meta.colour;
    while (taken.has(index) && taken.size < LIGHT.length)
      index = (index + 1) % LIGHT.length;
    taken.add(index);
    return index;
  });
}
