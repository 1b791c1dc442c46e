import { removeManifest, writeManifest } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Trace } from '../programs/model.ts';

const mebibyte = 2 ** 20;
/** Milliseconds between two edits of the hostile file. */
const interval = 4_000;

/** Files in the watched folder, all below its limit of 5 MiB. */
export const manifestAttacks: readonly Attack[] = [
  ofText('a manifest of keys', { full: 300_000, short: 3_000 }, (count) => lines(count, (index) => `k${index}: 0`)),
  ofText(
    'a manifest of documents',
    { full: 500_000, short: 3_000 },
    (count) => lines(count, () => '---'),
    'gatehouse_source_parses_total',
  ),
  ofText('a manifest of anchors', { full: 200_000, short: 3_000 }, (count) =>
    lines(count, (index) => `- &a${index} 0`),
  ),
  ofText(
    'a manifest of flow lists',
    { full: 5 * mebibyte, short: mebibyte / 20 },
    (size) => `[${'[],'.repeat(size / 3 - 2)}]`,
  ),
  ofText('a manifest of quotation marks', { full: 5 * mebibyte, short: mebibyte / 20 }, (size) =>
    `"'`.repeat(size / 2 - 2),
  ),
  ofText(
    'a manifest of one long line',
    { full: 5 * mebibyte, short: mebibyte / 20 },
    (size) => `a: ${'x '.repeat(size / 2 - 9)}`,
  ),
  // As many as a file may have: with one more it would not count.
  ofText(
    'a manifest of small Services',
    { full: 20_000, short: 300 },
    (count) =>
      lines(
        count,
        (index) => `---\n{apiVersion: v1, kind: Service, metadata: {name: s${index}, namespace: default}, spec: {}}`,
      ),
    'gatehouse_source_parses_total',
  ),
  // As many objects as a file may have.
  ofText(
    'a manifest of small targets',
    { full: 20_000, short: 300 },
    (count) => lines(count, (index) => smallTarget(`s${index}`, '10.0.0.1')),
    'gatehouse_source_parses_total',
  ),
  ofText('a manifest of one Service over and over', { full: 20_000, short: 300 }, (count) =>
    lines(count, () => '---\n{apiVersion: v1, kind: Service, metadata: {name: s, namespace: default}, spec: {}}'),
  ),
  // As many as a file may have: each counts as 61 objects.
  ofText(
    'a manifest of policies of sixteen Gateways each',
    { full: 327, short: 10 },
    (count) => lines(count, policyOfSixteen),
    'gatehouse_source_parses_total',
  ),
  {
    name: 'six manifests of Services that change in turn',
    row: 12,
    program: 'serve',
    amount: { full: 15_000, short: 300 },
    seconds: 30,
    trace: { metric: 'gatehouse_source_parses_total', line: undefined },
    start({ folder }, count): StopAttack {
      const names = Array.from({ length: 6 }, (_, index) => `hostile-${index}`);
      let edits = 0;
      const edit = (): void => {
        const name = names[edits % names.length] ?? '';
        const address = `10.0.0.${1 + (Math.floor(edits / names.length) % 2)}`;
        writeManifest(
          folder,
          `${name}.yaml`,
          lines(count, (index) => smallTarget(`${name}-${index}`, address)),
        );
        edits += 1;
      };
      for (const _ of names) edit();
      const timer = setInterval(edit, 1_000);
      return () => {
        clearInterval(timer);
        for (const name of names) removeManifest(folder, `${name}.yaml`);
        return 0;
      };
    },
  },
  ofText('a tag of exclamation marks', { full: 1_000_000, short: 10_000 }, (count) => `a: ${'!'.repeat(count)} b`),
  ofText('a long name of an unknown field', { full: 1_000_000, short: 10_000 }, (count) =>
    gatewayWithField('x'.repeat(count)),
  ),
];

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');
}

function smallTarget(name: string, address: string): string {
  const spec = `{clusterIP: ${address}, ports: [{port: 80, appProtocol: kgateway.dev/mcp}]}`;
  return `---\n{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: default}, spec: ${spec}}`;
}

function policyOfSixteen(index: number): string {
  const refs = Array.from({ length: 16 }, (_, gateway) => `{ name: g${gateway} }`).join();
  const rule = '{ matches: [{ type: JWT, jwt: { claim: sub, value: me } }], resource: { kind: tool, name: "*" } }';
  const head = 'apiVersion: gateway.kgateway.dev/v1alpha1, kind: MCPAuthPolicy';
  return `---\n{ ${head}, metadata: { name: p${index} }, spec: { targetRefs: [${refs}], rules: [${rule}] } }`;
}

function gatewayWithField(name: string): string {
  const spec = `spec: { gatewayClassName: mcp, listeners: [], ${name}: 1 }`;
  return `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: x, namespace: default }\n${spec}\n`;
}

/**
 * Writes the file, and again with a comment more after an interval: every edit is read.
 *
 * @param metric another one where nothing is wrong with the file
 */
function ofText(
  name: string,
  amount: Attack['amount'],
  make: (amount: number) => string,
  metric: Trace['metric'] = 'gatehouse_input_errors',
): Attack {
  return {
    name,
    row: 12,
    program: 'serve',
    amount,
    seconds: 12,
    trace: { metric, line: undefined },
    start({ folder }, size): StopAttack {
      const text = make(size);
      let edits = 0;
      const edit = (): void => {
        edits += 1;
        writeManifest(folder, 'hostile.yaml', `# ${edits}\n${text}`);
      };
      edit();
      const timer = setInterval(edit, interval);
      return () => {
        clearInterval(timer);
        removeManifest(folder, 'hostile.yaml');
        return 0;
      };
    },
  };
}
