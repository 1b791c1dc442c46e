import { describe, expect } from 'vitest';
import { changed } from '../../src/gateway/rpc/source-text.ts';
import { exposedRelation, withTaskId, withUpstreamTask } from '../../src/gateway/session/tasks/task-ids.ts';
import type { Task } from '../../src/gateway/session/tasks/task-table.ts';
import { isJsonObject, objectIn, parseJson } from '../../src/json/json.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

const tool: Task['tool'] = {
  target: 'default/a',
  name: 't',
  use: { kind: 'tool', name: 'default/a:t' },
  requestedName: 'default/a:t',
};
const task: Task = { id: 'id-of-the-client', upstreamId: 'id-of-the-target', tool, progress: undefined };
const relatedKey = 'io.modelcontextprotocol/related-task';

/** The id of the task that a message is about, where it is a text. */
function relatedTaskId(message: object): string | undefined {
  const related = objectIn(objectIn(objectIn({ message }, 'message'), '_meta'), relatedKey)['taskId'];
  return typeof related === 'string' ? related : undefined;
}

/** Every place where MCP writes the id of a task. */
function idsIn(message: object): readonly unknown[] {
  const json = { ...message } as Readonly<Record<string, unknown>>;
  return [json['taskId'], objectIn(json, 'task')['taskId'], relatedTaskId(json)].filter((id) => id !== undefined);
}

describe('the id of a task in a message', () => {
  fuzz('is replaced wherever it may be, and nothing else is', {
    corpus: new URL('./corpus/tasks/', import.meta.url),
    dictionary: [
      '"taskId":"id-of-the-target"',
      '"task":{',
      '"_meta":{',
      `"${relatedKey}":{`,
      '"__proto__":',
      'null',
      '[]',
      '{',
      '}',
      ',',
    ],
    run(input) {
      const json = parseJson(input.toString())?.value;
      if (!isJsonObject(json)) return;
      const before = JSON.stringify(json);
      const ofClient = idsIn(withTaskId(json, task));
      expect(ofClient.filter((id) => id !== task.id)).toEqual([]);
      const upstreamId = relatedTaskId(json);
      for (const known of [task, undefined]) {
        const told = changed(json, exposedRelation({ at: () => known }, tool.target, json));
        expect(relatedTaskId(told)).toBe(upstreamId === undefined ? undefined : known?.id);
        const answered = withUpstreamTask(json, known);
        const isRelated = objectIn(json, '_meta')[relatedKey] !== undefined;
        expect(relatedTaskId(answered)).toBe(isRelated ? known?.upstreamId : undefined);
      }
      expect(JSON.stringify(json)).toBe(before);
    },
  });
});
