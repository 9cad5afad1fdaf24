// Bundles the notebook's panels into the Python package: a file each, nothing fetched.
import { build } from 'esbuild';

const PANELS = {
  panel: 'src/widget/index.ts',
  compare: 'src/widget/compare.ts',
  sweep: 'src/widget/sweep.ts',
};

await build({
  entryPoints: PANELS,
  outdir: '../nbtrack/notebook/static',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  legalComments: 'inline',
  logLevel: 'warning',
});
