import type { Plugin } from 'esbuild';

const namespace = 'builtin';

/**
 * Loads `node:http` and `node:https` without their ES module facade. Node makes the facade by reading every export, and
 * that of `WebSocket` loads the whole undici of Node: a tenth of the time until the control plane listens.
 */
export const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({ path: path.replace('node:', ''), namespace }));
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}');`,
    }));
  },
};
