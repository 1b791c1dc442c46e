import type { Script } from '../../support/gateway/raw-target.ts';

/*
 * What the scenarios of the official conformance suite expect of a server, by the names of its tools, prompts and
 * resources. Answers are written as MCP 2025-11-25 has them.
 */

type Json = Readonly<Record<string, unknown>>;
type Request = Parameters<Script>[0];
type Say = Parameters<Script>[1];

/** A pixel, and a tenth of a millisecond of silence. */
const image = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const audio = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==';

const text = (value: string): Json => ({ type: 'text', text: value });
const picture: Json = { type: 'image', data: image, mimeType: 'image/png' };
const embedded = (uri: string, mimeType = 'text/plain', value = 'embedded'): Json => ({
  type: 'resource',
  resource: { uri, mimeType, text: value },
});

/** The tools that answer at once. */
const contents: Readonly<Record<string, readonly Json[]>> = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [picture],
  test_audio_content: [{ type: 'audio', data: audio, mimeType: 'audio/wav' }],
  test_embedded_resource: [embedded('test://embedded-resource')],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    picture,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ],
  json_schema_2020_12_tool: [text('done')],
};

/** Keywords of JSON Schema 2020-12, each of which must arrive. */
const schema2020: Json = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const titled = (kind: string): readonly Json[] =>
  ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${index + 1}`, title: `${title} ${kind}` }));
const options = ['option1', 'option2', 'option3'];

/** The tools that ask the client: the parameters of the request. */
const elicitations: Readonly<Record<string, Json>> = {
  test_elicitation: { response: { type: 'string', description: 'The answer' } },
  test_elicitation_sep1034_defaults: {
    name: { type: 'string', description: 'Name', default: 'John Doe' },
    age: { type: 'integer', description: 'Age', default: 30 },
    score: { type: 'number', description: 'Score', default: 95.5 },
    status: { type: 'string', description: 'Status', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Verified', default: true },
  },
  test_elicitation_sep1330_enums: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
    untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled('Choice') } },
  },
};

const others = [
  'test_tool_with_logging',
  'test_tool_with_progress',
  'test_error_handling',
  'test_reconnection',
  'test_sampling',
];

const tools: readonly Json[] = [...Object.keys(contents), ...Object.keys(elicitations), ...others].map((name) => ({
  name,
  description: `The scenario ${name}`,
  inputSchema: name === 'json_schema_2020_12_tool' ? schema2020 : { type: 'object', properties: {} },
}));

const resources: readonly Json[] = [
  { uri: 'test://static-text', name: 'static-text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched-resource', mimeType: 'text/plain' },
];

const argument = (name: string): Json => ({ name, description: name, required: true });
const prompts: readonly Json[] = [
  { name: 'test_simple_prompt', description: 'simple' },
  { name: 'test_prompt_with_arguments', description: 'arguments', arguments: [argument('arg1'), argument('arg2')] },
  { name: 'test_prompt_with_embedded_resource', description: 'resource', arguments: [argument('resourceUri')] },
  { name: 'test_prompt_with_image', description: 'image' },
];

/** Waits for the client's answer to the request with this id. */
export type Answered = (id: string) => Promise<Json>;

/** The server of the suite. Over `test_reconnection` it is silent: its stream ends, and the answer is on the next one. */
export function createFixture(answered: Answered): Script {
  let lastId = 0;
  return async (request, say) => {
    if (request.method === 'tools/call') {
      lastId += 1;
      return call(request, say, `asked ${lastId}`, answered);
    }
    const result = resultOf(request);
    return result === undefined ? { error: { code: -32601, message: 'Method not found' } } : result;
  };
}

async function call({ params }: Request, say: Say, id: string, answered: Answered) {
  const name = String(params['name']);
  const content = contents[name];
  if (content !== undefined) return { result: { content } };
  if (Object.hasOwn(elicitations, name)) {
    const requestedSchema = { type: 'object', properties: elicitations[name], required: [] };
    say('elicitation/create', { message: 'Please fill this in', requestedSchema }, id);
    return { result: { content: [text(JSON.stringify(await answered(id)))] } };
  }
  if (name === 'test_sampling') {
    const content = text(String(Object(params['arguments']).prompt));
    say('sampling/createMessage', { messages: [{ role: 'user', content }], maxTokens: 100 }, id);
    return { result: { content: [text(`LLM response: ${JSON.stringify(await answered(id))}`)] } };
  }
  const { progressToken } = Object(params['_meta']);
  for (const progress of [0, 50, 100]) {
    if (name === 'test_tool_with_logging') say('notifications/message', { level: 'info', data: `step ${progress}` });
    if (name === 'test_tool_with_progress') say('notifications/progress', { progressToken, progress, total: 100 });
  }
  if (name === 'test_error_handling') return { result: { content: [text('This tool always fails')], isError: true } };
  if (name === 'test_reconnection') return { raw: 'text/event-stream', chunks: ['id: 1\nretry: 1\ndata:\n\n'] };
  if (others.includes(name)) return { result: { content: [text('done')] } };
  return { error: { code: -32602, message: `Unknown tool: ${name}` } };
}

function resultOf({ method, params }: Request) {
  const results: Readonly<Record<string, Json>> = {
    'tools/list': { tools },
    'prompts/list': { prompts },
    'resources/list': { resources },
    'resources/templates/list': {
      resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }],
    },
    'resources/subscribe': {},
    'resources/unsubscribe': {},
    'logging/setLevel': {},
    'completion/complete': { completion: { values: [], total: 0, hasMore: false } },
  };
  if (method === 'resources/read') return read(String(params['uri']));
  if (method === 'prompts/get') return prompt(String(params['name']), Object(params['arguments']));
  return Object.hasOwn(results, method) ? { result: results[method] ?? {} } : undefined;
}

function read(uri: string) {
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
  if (id !== undefined) {
    const value = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { result: { contents: [{ uri, mimeType: 'application/json', text: value }] } };
  }
  if (uri === 'test://static-binary') return { result: { contents: [{ uri, mimeType: 'image/png', blob: image }] } };
  if (resources.some((resource) => resource['uri'] === uri)) {
    const value = 'This is the content of the static text resource.';
    return { result: { contents: [{ uri, mimeType: 'text/plain', text: value }] } };
  }
  return { error: { code: -32602, message: 'Resource not found', data: { uri } } };
}

function prompt(name: string, given: Json) {
  const said: Readonly<Record<string, readonly Json[]>> = {
    test_simple_prompt: [text('This is a simple prompt for testing.')],
    test_prompt_with_arguments: [text(`arg1='${given['arg1']}', arg2='${given['arg2']}'`)],
    test_prompt_with_embedded_resource: [embedded(String(given['resourceUri'])), text('See above.')],
    test_prompt_with_image: [picture, text('See above.')],
  };
  return { result: { messages: (said[name] ?? []).map((content) => ({ role: 'user', content })) } };
}
