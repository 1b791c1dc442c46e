import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { prepareGuide } from '../../src/demo/guide.ts';
import { callerAt, outcomeOf, statusAt, tokenOf, toolsOf } from '../support/agentgateway/agentgateway-caller.ts';
import { agentgatewayBinary } from '../support/agentgateway/agentgateway-process.ts';
import {
  type AgentgatewayPrograms,
  guidePolicy,
  startAgentgatewayPrograms,
} from '../support/agentgateway/agentgateway-programs.ts';
import { freePort } from '../support/gateway/everything-server.ts';
import { guideToken } from '../support/processes/guide.ts';
import { startGateway } from '../support/processes/guide-programs.ts';

/** The example's manifests, agentgateway itself, unmodified, and the official client. */
const tool = 'mcp-tool.default_convert_to_markdown';
const args = { uri: 'data:text/html,<h1>We the People</h1>' };
const converted = '# We the People';

let programs: AgentgatewayPrograms;

beforeAll(async () => {
  if (agentgatewayBinary !== undefined) programs = await startAgentgatewayPrograms();
}, 120_000);
afterAll(() => programs?.[Symbol.asyncDispose]());

const status = (token: string): Promise<number> => statusAt(programs.url, token);

describe.skipIf(agentgatewayBinary === undefined)('agentgateway itself', { timeout: 120_000 }, () => {
  it('is ready once it is served, and finds itself', async () => {
    await programs.node.ready();
    await programs.acknowledged();
  });

  it("plays the guide's story: denied without a policy, allowed with it, denied again when it goes", async () => {
    expect(await status(guideToken)).toBe(401);
    await programs.write({ 'policy.yaml': await guidePolicy });
    const clients = [await callerAt(programs.url, guideToken), await callerAt(programs.url, guideToken, '/sse')];
    for (const client of clients) {
      expect(await toolsOf(client)).toEqual([tool]);
      expect(await outcomeOf(client, tool, args)).toContain(converted);
    }
    expect(await status('no')).toBe(401);
    await programs.write({ 'policy.yaml': undefined });
    for (const client of clients) expect(await outcomeOf(client, tool, args)).not.toContain(converted);
    expect(await status(guideToken)).toBe(401);
  });

  it('denies what a policy allowed that is deleted while the control plane is away', async () => {
    await programs.write({ 'policy.yaml': await guidePolicy });
    const client = await callerAt(programs.url, guideToken);
    await programs.whileControlPlaneIsDown(async () => {
      expect(await outcomeOf(client, tool, args)).toContain(converted);
      await programs.writeOnly({ 'policy.yaml': undefined });
    });
    await programs.acknowledged();
    expect(await outcomeOf(client, tool, args)).not.toContain(converted);
    expect(await status(guideToken)).toBe(401);
  });

  it('obeys the same policy as a gateway of the older protocol beside it', async () => {
    const manifests = fileURLToPath(new URL('../../deploy/examples/guide', import.meta.url));
    const port = await freePort();
    const guide = await prepareGuide(manifests, { host: '127.0.0.1', port });
    onTestFinished(guide.discard);
    await using gateway = startGateway(guide.mounted, [
      `kgateway.kgateway-system.svc.cluster.local:9977=${programs.xds}`,
      // Without it a gateway refuses targets at loopback.
      `${programs.tool}=${programs.tool}`,
    ]);
    await gateway.listening('mcp');
    await programs.write({ 'policy.yaml': await guidePolicy }, 2);
    const [here, there] = [
      await callerAt(programs.url, guideToken),
      await callerAt(`http://127.0.0.1:${port}`, guideToken),
    ];
    const call = async (): Promise<readonly boolean[]> => [
      (await outcomeOf(here, tool, args)).includes(converted),
      (await outcomeOf(there, 'default/mcp-tool:convert_to_markdown', args)).includes(converted),
    ];
    expect(await call()).toEqual([true, true]);
    expect(await toolsOf(there)).toEqual(['default/mcp-tool:convert_to_markdown']);
    await programs.write({ 'policy.yaml': undefined }, 2);
    expect(await call()).toEqual([false, false]);
  });
});

describe.skipIf(agentgatewayBinary === undefined)('agentgateway and the control plane', { timeout: 120_000 }, () => {
  it('go on after one of them was restarted, and after both were', async () => {
    const works = async (): Promise<void> => {
      await programs.node.ready();
      await programs.acknowledged();
      expect(await outcomeOf(await callerAt(programs.url, guideToken), tool, args)).toContain(converted);
      expect(await status(await tokenOf('me')), 'a token of another issuer').toBe(401);
    };
    await programs.write({ 'policy.yaml': await guidePolicy });
    await works();
    await programs.node.kill();
    programs.node.start();
    await works();
    await programs.whileControlPlaneIsDown(async () => {
      await programs.node.kill();
      programs.node.start();
    });
    await works();
  });

  it('open nothing before they have met', async () => {
    await programs.whileControlPlaneIsDown(async () => {
      await programs.node.kill();
      programs.node.start();
      await expect(status(guideToken)).rejects.toThrow('fetch failed');
    });
    await programs.node.ready();
    await programs.acknowledged();
  });
});
