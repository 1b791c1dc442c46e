import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { nodeEnvironment, nodeFlags } from '../support/processes/node-flags.ts';

it('bin/gatehouse has the Node flags and environment of the npm script', () => {
  expect(nodeFlags).not.toEqual([]);
  const command = readFileSync('bin/gatehouse', 'utf8');
  expect(command).toContain(`exec node ${nodeFlags.join(' ')} "$here/bin/gatehouse.js"`);
  const { NODE_COMPILE_CACHE, ...others } = nodeEnvironment;
  for (const [name, value] of Object.entries(others)) expect(command).toContain(`${name}="\${${name}:-${value}}"`);
  expect(command).toContain(`NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-$here/${NODE_COMPILE_CACHE}}"`);
});
