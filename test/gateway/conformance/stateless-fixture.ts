import type { Script } from '../../support/gateway/raw-target.ts';
import { key } from '../../support/nodes/stateless-client.ts';

/*
 * What the scenarios of MCP 2026-07-28 expect of a server beside those of earlier revisions: tools and a prompt whose
 * results ask for input, and what needs a client that can do something.
 */

type Json = Readonly<Record<string, unknown>>;

const elicitation = (name: string, type: string): Json => ({
  method: 'elicitation/create',
  params: { message: name, requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] } },
});
const sampling: Json = {
  method: 'sampling/createMessage',
  params: {
    messages: [{ role: 'user', content: { type: 'text', text: 'What is the capital of France?' } }],
    maxTokens: 50,
  },
};
const roots: Json = { method: 'roots/list', params: {} };

/** What is asked for in each round, by name, and with a state when there is one. */
const asking: Readonly<Record<string, readonly { readonly inputs: Json; readonly state?: string }[]>> = {
  test_input_required_result_elicitation: [{ inputs: { user_name: elicitation('name', 'string') } }],
  test_input_required_result_sampling: [{ inputs: { capital_question: sampling } }],
  test_input_required_result_list_roots: [{ inputs: { client_roots: roots } }],
  test_input_required_result_request_state: [{ inputs: { confirm: elicitation('ok', 'boolean') }, state: 'signed' }],
  test_input_required_result_tampered_state: [{ inputs: { confirm: elicitation('ok', 'boolean') }, state: 'signed' }],
  test_input_required_result_multiple_inputs: [
    { inputs: { user_name: elicitation('name', 'string'), greeting: sampling, client_roots: roots }, state: 'signed' },
  ],
  test_input_required_result_multi_round: [
    { inputs: { step1: elicitation('name', 'string') }, state: 'round 1' },
    { inputs: { step2: elicitation('color', 'string') }, state: 'round 2' },
  ],
  test_input_required_result_capabilities: [{ inputs: { text: sampling } }],
  test_streaming_elicitation: [{ inputs: { user_name: elicitation('name', 'string') } }],
  test_input_required_result_prompt: [{ inputs: { user_context: elicitation('context', 'string') } }],
};
const others = [
  'test_missing_capability',
  'test_logging_tool',
  'test_trigger_tool_change',
  'test_trigger_prompt_change',
  'test_header',
];

const prompt = 'test_input_required_result_prompt';
const changes: readonly (readonly [tool: string, wanted: string, method: string])[] = [
  ['test_trigger_tool_change', 'toolsListChanged', 'notifications/tools/list_changed'],
  ['test_trigger_prompt_change', 'promptsListChanged', 'notifications/prompts/list_changed'],
];

/** Adds the tools, the prompt and `subscriptions/listen` to a server. */
export function createStatelessFixture(rest: Script): Script {
  const listening = new Set<(tool: string) => void>();
  return async (request, say) => {
    const { method, params, id } = request;
    const name = String(params['name']);
    if (method === 'subscriptions/listen') {
      const _meta = { [key('subscriptionId')]: id };
      const wanted = Object(params['notifications']);
      say('notifications/subscriptions/acknowledged', { notifications: wanted, _meta });
      listening.add((tool) => {
        for (const [called, list, told] of changes) if (tool === called && wanted[list] === true) say(told, { _meta });
      });
      return undefined;
    }
    if (method === 'tools/list') return withEntries(await rest(request, say), 'tools', toolNames.map(toolOf));
    if (method === 'prompts/list')
      return withEntries(await rest(request, say), 'prompts', [{ name: prompt, description: 'asks for input' }]);
    if (Object.hasOwn(asking, name)) return answerTo(name, params, method === 'prompts/get');
    if (!others.includes(name)) return rest(request, say);
    for (const tell of listening) tell(name);
    const { [key('clientCapabilities')]: capabilities, [key('logLevel')]: logLevel } = Object(params['_meta']);
    if (name === 'test_missing_capability' && Object(capabilities).sampling === undefined) {
      const data = { requiredCapabilities: { sampling: {} } };
      return { error: { code: -32021, message: 'Missing required client capability', data } };
    }
    if (name === 'test_logging_tool' && logLevel !== undefined)
      say('notifications/message', { level: logLevel, data: 1 });
    return done('done', false);
  };
}

const toolNames = [...Object.keys(asking).filter((name) => name !== prompt), ...others];
const toolOf = (name: string): Json => ({
  name,
  description: name,
  inputSchema: { type: 'object', properties: name === 'test_header' ? region : {} },
});

/** The gateway, and not this server, compares the header with the argument. */
const region: Json = { region: { type: 'string', 'x-mcp-header': 'Region' } };

function withEntries(answer: Awaited<ReturnType<Script>>, member: string, entries: readonly Json[]) {
  if (answer === undefined || !('result' in answer)) return answer;
  const listed: unknown = answer.result[member];
  return { result: { ...answer.result, [member]: [...(Array.isArray(listed) ? listed : []), ...entries] } };
}

/** Asks until it has all answers of a round, each of which is an object. */
function answerTo(name: string, { inputResponses, requestState }: Json, isPrompt: boolean) {
  const rounds = asking[name] ?? [];
  const states = rounds.map(({ state }) => state);
  if (requestState !== undefined && !states.some((state) => state === requestState)) {
    return { error: { code: -32602, message: 'The state was changed' } };
  }
  const answered = rounds.findIndex(({ inputs, state }) => {
    return state === requestState && Object.keys(inputs).every((input) => isObject(Object(inputResponses)[input]));
  });
  const next = rounds[answered + 1];
  if (next === undefined) return done(`state-ok ${JSON.stringify(inputResponses)}`, isPrompt);
  const state = next.state === undefined ? {} : { requestState: next.state };
  return { result: { resultType: 'input_required', inputRequests: next.inputs, ...state } };
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

function done(text: string, isPrompt: boolean) {
  const content = { type: 'text', text };
  const said = isPrompt ? { messages: [{ role: 'user', content }] } : { content: [content] };
  return { result: { resultType: 'complete', ...said } };
}
