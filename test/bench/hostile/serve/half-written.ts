import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayNode } from '../../../support/nodes/gateway-node.ts';
import { isSubject, mcpService, policyWith } from '../../../support/worlds/manifests.ts';
import { removeManifest, writeManifest } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { until } from '../programs/repeat.ts';

/** Milliseconds that the writer of a file waits in the middle of it: less than the file has to stand still. */
const interruption = 400;

/** A file that is written in place, in two parts. Both parse, and the first one alone means something that is wider. */
interface Edit {
  readonly half: string;
  readonly rest: string;
  /** What a node holds while the first part counts. */
  readonly wider: string;
  /** What it holds once the file is whole. */
  readonly whole: string;
  /** A file beside it, by its name. */
  readonly beside?: readonly [name: string, text: string];
}

/** Files that are read while somebody writes them. The amount is that of edits. */
export const halfWrittenAttacks: readonly Attack[] = [
  ofEdits('policies that end in the middle of a tool', (edit) => ({
    half: blockPolicy(`tool-${edit}`, toolAtTheEnd('default/good:secret')),
    rest: `-reader-${edit}\n`,
    wider: '"tool default/good:secret when sub is me"',
    whole: `default/good:secret-reader-${edit}`,
  })),
  ofEdits('policies that end in the middle of a claim', (edit) => ({
    half: blockPolicy('claim', valueAtTheEnd('admin')),
    rest: `-of-nothing-${edit}\n`,
    wider: 'when role is admin"',
    whole: `admin-of-nothing-${edit}`,
  })),
  ofEdits('Services that end in the middle of their name', (edit) => ({
    half: `apiVersion: v1
kind: Service
spec: { clusterIP: "10.0.0.1", ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }
metadata:
  namespace: default
  name: half`,
    rest: `-way-${edit}\n`,
    wider: '"default/half"',
    whole: `"default/half-way-${edit}"`,
  })),
  ofEdits('policies that lack their last lines', (edit) => ({
    half: `${blockPolicy('lines', ` [${ruleFor('default/good:lines')}]`, '')}
  targetRefs:
    - name: gw
`,
    rest: `      sectionName: none\n---\n${mcpService(`default/lines-${edit}`)}`,
    wider: '"tool default/good:lines when sub is me"',
    whole: `"default/lines-${edit}"`,
  })),
  ofEdits('files that are emptied and written again', (edit) => ({
    half: '',
    rest: policyWith('default/twice', '[{ name: gw }]', `[${ruleFor(`default/good:narrow-${edit}`)}]`),
    wider: '"tool default/good:wide when sub is me"',
    whole: `narrow-${edit}`,
    // The first copy of an object counts, by the names of the files.
    beside: ['half-written-2.yaml', policyWith('default/twice', '[{ name: gw }]', `[${ruleFor('default/good:wide')}]`)],
  })),
];

function ruleFor(tool: string): string {
  return `{ matches: [${isSubject('me')}], resource: { kind: tool, name: "${tool}" } }`;
}

/** A policy that ends with its rules. */
function blockPolicy(name: string, rules: string, targetRefs = '\n  targetRefs: [{ name: gw }]'): string {
  const kind = 'apiVersion: gateway.kgateway.dev/v1alpha1\nkind: MCPAuthPolicy';
  return `${kind}\nmetadata: { namespace: default, name: ${name} }\nspec:${targetRefs}\n  rules:${rules}`;
}

/** Rules whose last word is the name of a tool. */
function toolAtTheEnd(tool: string): string {
  return `
    - matches: [${isSubject('me')}]
      resource:
        kind: tool
        name: ${tool}`;
}

/** Rules whose last word is the value of a claim. */
function valueAtTheEnd(value: string): string {
  return `
    - resource: { kind: tool, name: "default/good:all" }
      matches:
        - type: JWT
          jwt:
            claim: role
            value: ${value}`;
}

const fileName = 'half-written-1.yaml';

function ofEdits(name: string, editOf: (edit: number) => Edit): Attack {
  return {
    name,
    row: 6,
    program: 'serve',
    amount: { full: 4, short: 1 },
    seconds: 12,
    // Not different from honest edits: nothing is wrong, and nothing counts before it is whole.
    trace: { metric: 'gatehouse_source_reads_total', line: undefined },
    start: (victim, edits) => writeInPlace(victim, edits, editOf),
  };
}

/** Counts the edits whose first part a node was told of, and those that it was never told of. */
async function writeInPlace(
  { xds, folder }: Victim,
  edits: number,
  editOf: (edit: number) => Edit,
): Promise<StopAttack> {
  const node = new GatewayNode(`127.0.0.1:${xds}`, 'default/gw').connect();
  const holds = (words: string): boolean => JSON.stringify(node.holds()).includes(words);
  const first = editOf(0);
  if (first.beside !== undefined) {
    writeManifest(folder, fileName, first.rest);
    await until(() => holds(first.whole));
    writeManifest(folder, ...first.beside);
  }
  let got = 0;
  const run = async (): Promise<void> => {
    for (let edit = 1; edit <= edits; edit += 1) {
      const { half, rest, wider, whole } = editOf(edit);
      const file = join(folder, fileName);
      writeFileSync(file, half);
      let widened = await until(() => holds(wider), interruption);
      appendFileSync(file, rest);
      const arrived = await until(() => {
        widened ||= holds(wider);
        return holds(whole);
      });
      if (widened || !arrived) got += 1;
    }
  };
  const done = run();
  return async () => {
    await done;
    for (const name of [fileName, ...(first.beside?.slice(0, 1) ?? [])]) removeManifest(folder, name);
    await node.close();
    return got;
  };
}
