/** Icons in the colour of their neighbours: a curve that falls and levels; two tables. */

import { LabIcon } from '@jupyterlab/ui-components';

export const runsIcon = new LabIcon({
  name: 'nbtrack:runs',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M3 3v18h18"/>
    <path class="jp-icon3" stroke="#616161" d="M7 5c1.5 8 4 11 14 11.5"/>
  </g></svg>`,
});

export const compareIcon = new LabIcon({
  name: 'nbtrack:compare',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M4 4h6v16H4zM14 4h6v16h-6z"/>
    <path class="jp-icon3" stroke="#616161" d="M4 10h6M14 14h6"/>
  </g></svg>`,
});
