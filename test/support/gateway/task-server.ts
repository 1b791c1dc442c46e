import type { Script } from './raw-target.ts';

type Json = Readonly<Record<string, unknown>>;

/** The extension of tasks, as both sides declare it. */
const tasksExtension = 'io.modelcontextprotocol/tasks';
export const withTasks: Json = { extensions: { [tasksExtension]: {} } };

interface Task {
  readonly createdAt: string;
  /** When it is over, in milliseconds since the epoch. */
  readonly endsAt: number;
  /** What it asks for, by name. */
  readonly asked: Map<string, Json>;
  readonly given: Record<string, unknown>;
  readonly outcome: (given: Json) => Json;
  isCancelled: boolean;
}

const elicitation: Json = {
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'Name?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  },
};
const text = (said: string, more: Json = {}): Json => ({
  resultType: 'complete',
  content: [{ type: 'text', text: said }],
  ...more,
});

/** The tools, each with what it asks for and what comes out: those that the scenarios of the extension expect. */
const tools: Readonly<Record<string, { readonly inputs: number; outcome(given: Json, args: Json): Json }>> = {
  slow_compute: { inputs: 0, outcome: (_, { label }) => ({ result: text(`computed ${String(label)}`) }) },
  failing_job: { inputs: 0, outcome: () => ({ result: text('failed', { isError: true }) }) },
  protocol_error_job: { inputs: 0, outcome: () => ({ error: { code: -32603, message: 'broken', data: { kept: 1 } } }) },
  confirm_delete: { inputs: 1, outcome: (given) => ({ result: text(JSON.stringify(given)) }) },
  multi_input: { inputs: 2, outcome: (given) => ({ result: text(JSON.stringify(given)) }) },
  test_tool_with_task: { inputs: 0, outcome: (_, args) => ({ result: text(JSON.stringify(args)) }) },
};

const unknownTask = { error: { code: -32602, message: 'Failed to retrieve task: Task not found' } };

/**
 * A server of MCP 2026-07-28 with the extension of tasks, beside what else it has. Its ids are counted, so that they
 * are those of other servers, too; its tasks end on their own after the argument `seconds`.
 */
export function createTaskServer(rest: Script = () => ({ error: { code: -32601, message: 'Method not found' } })): {
  readonly script: Script;
  /** Forgets all tasks, as a server does that starts again. */
  restart(): void;
} {
  const tasks = new Map<string, Task>();
  const script: Script = async (request, say) => {
    const { method, params } = request;
    const name = String(params['name']);
    const task = tasks.get(String(params['taskId']));
    if (method === 'tools/list') {
      const listed = [...Object.keys(tools), 'greet'].map((one) => ({
        name: one,
        description: one,
        inputSchema: { type: 'object' },
      }));
      const others = await rest(request, say);
      if (others === undefined || !('result' in others)) return { result: { tools: listed } };
      const { tools: more } = others.result;
      return { result: { ...others.result, tools: [...listed, ...(Array.isArray(more) ? more : [])] } };
    }
    if (method.startsWith('tasks/') && !declares(params)) return missing;
    if (method === 'tasks/get') return task === undefined ? unknownTask : { result: stateOf(task, params['taskId']) };
    if (method === 'tasks/cancel') {
      if (task === undefined) return unknownTask;
      task.isCancelled ||= !isOver(task);
      return { result: { resultType: 'complete' } };
    }
    if (method === 'tasks/update') {
      if (task === undefined) return unknownTask;
      for (const [key, given] of Object.entries(Object(params['inputResponses']))) {
        if (task.asked.delete(key)) task.given[key] = given;
      }
      return { result: { resultType: 'complete' } };
    }
    if (method !== 'tools/call') return rest(request, say);
    const args: Json = Object(params['arguments']);
    if (name === 'greet') return { result: text(`Hello, ${String(args['name'])}!`) };
    const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
    if (tool === undefined) return rest(request, say);
    if (name === 'test_tool_with_task' && params['inputResponses'] === undefined) {
      return { result: { resultType: 'input_required', inputRequests: { user_name: elicitation } } };
    }
    if (!declares(params)) {
      if (name === 'slow_compute') return { result: text('computed at once') };
      return missing;
    }
    const taskId = `task-${tasks.size + 1}`;
    const created: Task = {
      createdAt: new Date().toISOString(),
      endsAt: Date.now() + Number(args['seconds'] ?? 0) * 1_000,
      asked: new Map(Array.from({ length: tool.inputs }, (_, index) => [`input-${index + 1}`, elicitation])),
      given: {},
      outcome: (given) => tool.outcome(given, { ...args, inputResponses: params['inputResponses'] }),
      isCancelled: false,
    };
    tasks.set(taskId, created);
    return { result: { resultType: 'task', ...metadata(created, taskId), status: 'working', unknown: { kept: 1 } } };
  };
  return { script, restart: () => tasks.clear() };
}

const missing = {
  error: {
    code: -32021,
    message: 'Missing required client capability',
    data: { requiredCapabilities: withTasks },
  },
};

function declares(params: Json): boolean {
  const declared = Object(Object(params['_meta'])['io.modelcontextprotocol/clientCapabilities']);
  return Object.hasOwn(Object(declared.extensions), tasksExtension);
}

const isOver = ({ isCancelled, asked, endsAt }: Task): boolean =>
  isCancelled || (asked.size === 0 && Date.now() >= endsAt);

const metadata = ({ createdAt }: Task, taskId: unknown): Json => ({
  taskId,
  createdAt,
  lastUpdatedAt: createdAt,
  ttlMs: 60_000,
  pollIntervalMs: 100,
});

function stateOf(task: Task, taskId: unknown): Json {
  const common = { resultType: 'complete', ...metadata(task, taskId) };
  if (task.isCancelled) return { ...common, status: 'cancelled' };
  if (task.asked.size > 0) {
    return { ...common, status: 'input_required', inputRequests: Object.fromEntries(task.asked) };
  }
  if (!isOver(task)) return { ...common, status: 'working' };
  const outcome = task.outcome(task.given);
  return { ...common, status: 'error' in outcome ? 'failed' : 'completed', ...outcome };
}
