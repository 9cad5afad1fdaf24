// Bundles the notebook's panel into the Python package: one file, nothing fetched.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/widget/index.ts'],
  outfile: '../nbtrack/notebook/static/panel.js',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  legalComments: 'inline',
  logLevel: 'warning',
});
