import { expect, it } from 'vitest';
import { nearestName } from '../../src/explain/nearest.ts';

it.each([
  ['default/mcp-tol', ['default/mcp-tool', 'default/mcp-gateway'], 'default/mcp-tool'],
  ['GW', ['gv', 'gw'], 'gw'],
  ['ab', ['az', 'ay', 'ax'], 'ax'],
  ['mcp', ['something-else', 'nothing'], undefined],
  ['mcp', ['mcp'], undefined],
  ['mcp', [], undefined],
  ['', ['a', 'bc'], 'a'],
  ['x'.repeat(100_000), ['y', 'x'.repeat(99_999)], 'x'.repeat(99_999)],
])('of %.20s and %.30j, the nearest is %.20s', (name, known, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});
