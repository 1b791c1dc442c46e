import type { Failure } from '../../graph/model.ts';
import type { ObjectMeta } from '../../resources/model.ts';
import type { Condition } from '../model.ts';

/** Creates the conditions of one object. */
export type ConditionWriter = <Type extends string>(
  type: Type,
  status: Condition['status'],
  reason: string,
  message: string,
) => Condition<Type>;

/** Sets `observedGeneration` when the object has a generation (objects of files have none), and limits messages. */
export function conditionWriter({ generation }: Pick<ObjectMeta, 'generation'>): ConditionWriter {
  return (type, status, reason, message) => {
    const condition = { type, status, reason, message: truncated(message) };
    return generation === undefined ? condition : { ...condition, observedGeneration: generation };
  };
}

/** Reports that a transformation of ours threw; present only then. Its output is not served. */
export function internalError(
  condition: ConditionWriter,
  { collection, error }: Failure,
): Condition<'kgateway.dev/InternalError'> {
  const message = `Computing "${collection}" failed, so nothing that follows from it is served: ${error.message}. This is a bug of gatehouse, please report it.`;
  return condition('kgateway.dev/InternalError', 'True', 'TransformationFailed', message);
}

/** The limit of `metav1.Condition` in UTF-16 units: the API server refuses a whole status for one longer message. */
const longestMessage = 32_768;

/** Cuts a message to the limit, and never between the halves of a surrogate pair. */
function truncated(message: string): string {
  if (message.length <= longestMessage) return message;
  return `${message.slice(0, longestMessage - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
