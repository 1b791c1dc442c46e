import type { Agent, Outcome } from './agent.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Guide } from './guide.ts';

/** A step whose result differs from the guide. The message says what was observed. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}

/** The running programs, and where the story is printed. */
export interface StoryParts {
  readonly guide: Guide;
  readonly controlPlane: ControlPlane;
  readonly connect: () => Promise<Agent>;
  readonly print: (line: string) => void;
  readonly verdict: Verdict;
}

/** Emphasizes a verdict on a terminal. */
export type Verdict = (word: 'ALLOWED' | 'DENIED') => string;

/** Milliseconds between two lists, and until the tool has to be in one. */
const listInterval = 250;
const listTimeout = 20_000;

/** The tool that the guide's policy is about. */
export const guideTool = 'default/mcp-tool:convert_to_markdown';
const page =
  'data:text/html,<h1>We the People</h1><p>of the <b>United States</b>, in Order to form a more perfect Union</p>';

/**
 * Runs the steps of the guide and prints what was observed at each.
 *
 * @throws StoryError at the first step that differs from the guide
 */
export async function runStory(parts: StoryParts): Promise<void> {
  const { guide, controlPlane, connect, print } = parts;
  const first = await controlPlane.acknowledged(undefined);
  print(`1. The gateway ${first.nodes.join(', ')} connected and acknowledged snapshot ${short(first.version)}.`);

  const agent = await connect();
  try {
    await untilListed(agent, guideTool);
    print(`2. An agent with a token for "me" sees the tool ${guideTool}.`);

    expectRefused(await agent.call(guideTool, { uri: page }), 'there is no MCPAuthPolicy', parts, 3);

    const added = performance.now();
    await guide.addPolicy();
    const second = await controlPlane.acknowledged(first.version);
    const took = Math.round(performance.now() - added);
    print(
      `4. 6-mcpauthpolicy.yaml appeared in the folder; ${took} ms later the gateway held snapshot ${short(second.version)}.`,
    );

    expectReturned(await agent.call(guideTool, { uri: page }), parts);

    await guide.removePolicy();
    const third = await controlPlane.acknowledged(second.version);
    print(`6. The policy's file is gone; the gateway holds snapshot ${short(third.version)}.`);
    expectRefused(await agent.call(guideTool, { uri: page }), 'the policy is gone', parts, 7);
  } finally {
    await agent.close();
  }
}

/** Lists again while the tool is missing: the gateway leaves out a target that is slow, as on a busy machine. */
async function untilListed(agent: Agent, tool: string): Promise<void> {
  const deadline = performance.now() + listTimeout;
  for (;;) {
    const tools = await agent.tools();
    if (tools.includes(tool)) return;
    if (performance.now() > deadline)
      throw new StoryError(`the gateway lists ${tools.join(', ') || 'no tool'}, not ${tool}`);
    await new Promise((resolve) => setTimeout(resolve, listInterval));
  }
}

function expectRefused(outcome: Outcome, why: string, { print, verdict }: StoryParts, step: number): void {
  if (outcome.kind === 'returned') throw new StoryError(`the call was allowed although ${why}: ${outcome.text}`);
  if (!outcome.message.includes('not allowed')) throw new StoryError(`the call failed otherwise: ${outcome.message}`);
  print(`${step}. Its call is ${verdict('DENIED')}, for ${why}: "${outcome.message}".`);
}

function expectReturned(outcome: Outcome, { print, verdict }: StoryParts): void {
  if (outcome.kind === 'refused')
    throw new StoryError(`the call was denied although a policy allows it: ${outcome.message}`);
  if (!outcome.text.includes('# We the People')) throw new StoryError(`the tool returned no Markdown: ${outcome.text}`);
  print(`5. The same call is ${verdict('ALLOWED')} and returns Markdown:`);
  for (const line of outcome.text.trim().split('\n')) print(`     ${line}`);
}

/** Shortens a version for display. */
function short(version: string): string {
  return version.slice(0, 12);
}
