/** The commands' names: kept, since users bind keys to them. */

export const Ids = {
  open: 'nbtrack:open-run',
  compare: 'nbtrack:compare',
  star: 'nbtrack:star',
  tag: 'nbtrack:tag',
  note: 'nbtrack:note',
  rename: 'nbtrack:rename',
  trash: 'nbtrack:trash',
  restore: 'nbtrack:restore',
  stop: 'nbtrack:stop',
  script: 'nbtrack:export-script',
  bundle: 'nbtrack:export-bundle',
  toCell: 'nbtrack:go-to-cell',
  insertParams: 'nbtrack:insert-params',
  insertCells: 'nbtrack:insert-cells',
  sweep: 'nbtrack:sweep-cell',
  promote: 'nbtrack:promote-model',
  layout: 'nbtrack:open-layout',
  runs: 'nbtrack:show-runs',
} as const;
