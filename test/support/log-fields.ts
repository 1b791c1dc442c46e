import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** The members of ESTree nodes that are looked at here. */
interface AnyNode {
  readonly type?: string;
  readonly name?: string;
  readonly value?: AnyNode | string;
  readonly key?: AnyNode;
  readonly object?: AnyNode;
  readonly property?: AnyNode;
  readonly callee?: AnyNode;
  readonly arguments?: readonly AnyNode[];
  readonly properties?: readonly AnyNode[];
  readonly consequent?: AnyNode;
  readonly right?: AnyNode;
  readonly argument?: AnyNode;
}

/**
 * Finds the names of the fields that the files of a folder log: of object literals that are an argument of `log.info`
 * and its like, of `child`, or the value of a member or variable `fields`.
 */
export function loggedFields(folder: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  for (const file of files) {
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const name of fieldsAt(node)) found.set(name, [...(found.get(name) ?? []), file]);
      for (const child of Object.values(node)) visit(child);
    };
    visit(parseSync(file, readFileSync(join(folder, file), 'utf8')).program);
  }
  return found;
}

function fieldsAt(node: AnyNode): readonly string[] {
  // A throttle may be called `log`: its fields are found by the member of that name.
  if (node.type === 'CallExpression' && isLogCall(node))
    return (node.arguments ?? []).flatMap(keysOf).filter((name) => name !== 'fields');
  if (node.type === 'Property' && node.key?.name === 'fields' && typeof node.value === 'object')
    return keysOf(node.value);
  return [];
}

/** `log.info(…)`, `this.#log.warn(…)`, `parts.log.child(…)`, `this.#parts.log[level](…)`, `this.#log(log, level, …)`. */
function isLogCall({ callee }: AnyNode): boolean {
  const receiver = callee?.object?.property?.name ?? callee?.object?.name ?? '';
  const method = callee?.property?.name ?? '';
  if (/^(?:log|nodeLog)$/i.test(receiver)) return true;
  return method === 'log';
}

function keysOf(node: AnyNode): readonly string[] {
  switch (node.type) {
    case 'ObjectExpression':
      return (node.properties ?? []).flatMap((property) =>
        property.type === 'SpreadElement' ? keysOf(property.argument ?? {}) : [nameOf(property.key)].flat(),
      );
    case 'LogicalExpression':
      return keysOf(node.right ?? {});
    case 'ConditionalExpression':
      return keysOf(node.consequent ?? {});
    default:
      return [];
  }
}

function nameOf(key: AnyNode | undefined): string {
  return key?.name ?? (typeof key?.value === 'string' ? key.value : '');
}
