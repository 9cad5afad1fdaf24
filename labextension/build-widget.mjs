// Bundles the notebook's panels into the Python package: nothing is fetched. uPlot stands
// once beside the two panels that draw with it, and Python puts it in front of them: in
// each of them it would be a fifth of what all front ends take.
import { build } from 'esbuild';

const OUT = '../nbtrack/notebook/static';
const COMMON = {
  bundle: true,
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  legalComments: 'inline',
  logLevel: 'warning',
};
const PANELS = {
  panel: 'src/widget/index.ts',
  compare: 'src/widget/compare.ts',
  sweep: 'src/widget/sweep.ts',
};

const uplotInFront = {
  name: 'uplot-in-front',
  setup(bundler) {
    bundler.onResolve({ filter: /^uplot$/ }, () => ({
      path: 'uplot',
      namespace: 'in-front',
    }));
    bundler.onLoad({ filter: /.*/, namespace: 'in-front' }, () => ({
      contents: 'export default nbtrackUPlot.default;',
    }));
  },
};

await build({
  ...COMMON,
  entryPoints: { uplot: 'uplot' },
  outdir: OUT,
  format: 'iife',
  globalName: 'nbtrackUPlot',
});
await build({
  ...COMMON,
  entryPoints: PANELS,
  outdir: OUT,
  format: 'esm',
  plugins: [uplotInFront],
});
