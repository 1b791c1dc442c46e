import { expect, it } from 'vitest';
import { limits, memoryOf, weightOf, weightOfPart } from '../../../../src/source/files/manifest/limits.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';

it.each([
  [
    'MCP ports of Services',
    (parts: number) => {
      const port = (index: number): string => `{ name: p${index}, port: ${index + 1}, appProtocol: kgateway.dev/mcp }`;
      return `{ ports: [${Array.from({ length: parts }, (_, index) => port(index)).join()}] }`;
    },
    'v1',
    'Service',
  ],
  [
    'Gateways of policies',
    (parts: number) => `{ targetRefs: [${Array.from({ length: parts }, (_, index) => `{ name: g${index} }`).join()}] }`,
    'gateway.kgateway.dev/v1alpha1',
    'MCPAuthPolicy',
  ],
  [
    'listeners of Gateways',
    (parts: number) =>
      `{ gatewayClassName: x, listeners: [${Array.from({ length: parts }, (_, index) => `{ name: l${index} }`).join()}] }`,
    'gateway.networking.k8s.io/v1',
    'Gateway',
  ],
])('%s count as several objects after the first', (_, spec, apiVersion, kind) => {
  const parts = 11;
  const most = limits.objects / (1 + weightOfPart * (parts - 1));
  const file = (count: number): string =>
    Array.from(
      { length: count },
      (__, index) =>
        `---\n{ apiVersion: ${apiVersion}, kind: ${kind}, metadata: { name: o${index} }, spec: ${spec(parts)} }\n`,
    ).join('');
  expect(parseManifest(file(Math.floor(most)), [])).toMatchObject({ ok: true });
  expect(parseManifest(file(Math.floor(most) + 1), [])).toMatchObject({
    ok: false,
    reason: expect.stringContaining(`counts as ${weightOfPart}`),
  });
});

it('counts the rules of policies as often as they are encoded', () => {
  const matches = Array.from({ length: 64 }, (_, index) => `{ type: JWT, jwt: { claim: c, value: v${index} } }`).join();
  const rule = `{ matches: [${matches}], resource: { kind: tool, name: "ns/t:${'n'.repeat(1_000)}" } }`;
  const policy = (name: string, gateways: number): string => {
    const refs = Array.from({ length: gateways }, (_, index) => `{ name: g${index} }`).join();
    const spec = `{ targetRefs: [${refs}], rules: [${Array.from({ length: 40 }, () => rule).join()}] }`;
    return `---\n{ apiVersion: gateway.kgateway.dev/v1alpha1, kind: MCPAuthPolicy, metadata: { name: ${name} }, spec: ${spec} }\n`;
  };
  const file = (count: number, gateways: number): string =>
    Array.from({ length: count }, (_, index) => policy(`p${index}`, gateways)).join('');
  // Each has 2.7 MB for a Gateway, and once more for all; a file has room for 20,000 / 4 times 8 KiB.
  expect(parseManifest(file(7, 1), [])).toMatchObject({ ok: true });
  expect(parseManifest(file(1, 13), [])).toMatchObject({ ok: true });
  const excess = { ok: false, reason: expect.stringContaining('once and for each of its Gateways') };
  expect(parseManifest(file(8, 1), [])).toMatchObject(excess);
  expect(parseManifest(file(1, 16), [])).toMatchObject(excess);
});

it('counts what a policy is encoded to more in all files together than in its own', () => {
  const matches = Array.from({ length: 64 }, (_, index) => `{ type: JWT, jwt: { claim: c, value: v${index} } }`).join();
  const policy = (rules: number): string => {
    const rule = `{ matches: [${matches}], resource: { kind: tool, name: "ns/t:${'n'.repeat(1_000)}" } }`;
    const spec = `{ targetRefs: [{ name: g }], rules: [${Array.from({ length: rules }, () => rule).join()}] }`;
    return `{ apiVersion: gateway.kgateway.dev/v1alpha1, kind: MCPAuthPolicy, metadata: { name: p }, spec: ${spec} }`;
  };
  const counted = (rules: number): readonly number[] => {
    const parsed = parseManifest(policy(rules), []);
    const contents = parsed.ok ? parsed.objects.map(({ content }) => content) : [];
    return [...contents.map(weightOf), ...contents.map(memoryOf)];
  };
  // 64 times 1,060 bytes and a little, twice: 16 times 8 KiB, and 166 times.
  expect(counted(1)).toEqual([1 + 4 * 16, 1 + 10 * 16]);
  expect(counted(10)).toEqual([1 + 4 * 166, 1 + 10 * 166]);
});
