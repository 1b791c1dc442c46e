import type { Agent, Outcome } from './agent.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Guide } from './guide.ts';

/** A step whose result differs from the guide. The message says what was observed. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}

export interface StoryParts {
  readonly guide: Guide;
  readonly controlPlane: ControlPlane;
  readonly connect: () => Promise<Agent>;
  readonly print: (line: string) => void;
}

const tool = 'default/mcp-tool:convert_to_markdown';
const page =
  'data:text/html,<h1>We the People</h1><p>of the <b>United States</b>, in Order to form a more perfect Union</p>';

/**
 * Runs the steps of the guide and prints what was observed at each.
 *
 * @throws StoryError at the first step that differs from the guide
 */
export async function runStory({ guide, controlPlane, connect, print }: StoryParts): Promise<void> {
  const first = await controlPlane.acknowledged(undefined);
  print(`1. The gateway ${first.nodes.join(', ')} connected and acknowledged snapshot ${short(first.version)}.`);

  const agent = await connect();
  try {
    const tools = await agent.tools();
    if (!tools.includes(tool)) throw new StoryError(`the gateway lists ${tools.join(', ') || 'no tool'}, not ${tool}`);
    print(`2. An agent with a token for "me" sees the tool ${tool}.`);

    expectRefused(await agent.call(tool, { uri: page }), 'there is no MCPAuthPolicy', print, 3);

    const added = performance.now();
    await guide.addPolicy();
    const second = await controlPlane.acknowledged(first.version);
    const took = Math.round(performance.now() - added);
    print(
      `4. 6-mcpauthpolicy.yaml appeared in the folder; ${took} ms later the gateway held snapshot ${short(second.version)}.`,
    );

    expectReturned(await agent.call(tool, { uri: page }), print);

    await guide.removePolicy();
    const third = await controlPlane.acknowledged(second.version);
    print(`6. The policy's file is gone; the gateway holds snapshot ${short(third.version)}.`);
    expectRefused(await agent.call(tool, { uri: page }), 'the policy is gone', print, 7);
  } finally {
    await agent.close();
  }
}

function expectRefused(outcome: Outcome, why: string, print: (line: string) => void, step: number): void {
  if (outcome.kind === 'returned') throw new StoryError(`the call was allowed although ${why}: ${outcome.text}`);
  if (!outcome.message.includes('not allowed')) throw new StoryError(`the call failed otherwise: ${outcome.message}`);
  print(`${step}. Its call is DENIED, for ${why}: "${outcome.message}".`);
}

function expectReturned(outcome: Outcome, print: (line: string) => void): void {
  if (outcome.kind === 'refused')
    throw new StoryError(`the call was denied although a policy allows it: ${outcome.message}`);
  if (!outcome.text.includes('# We the People')) throw new StoryError(`the tool returned no Markdown: ${outcome.text}`);
  print('5. The same call is ALLOWED and returns Markdown:');
  for (const line of outcome.text.trim().split('\n')) print(`     ${line}`);
}

/** Shortens a version for display. */
function short(version: string): string {
  return version.slice(0, 12);
}
