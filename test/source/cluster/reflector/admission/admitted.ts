/** An object of the tests of room. */
export interface Written {
  /** Its key. */
  readonly name: string;
  readonly bytes: number;
  readonly created?: string;
}

const namespaceOf = ({ name }: Written): string => name.split('/', 1)[0] ?? '';

/**
 * Says by the words of the rule what there is room for, one step after the other: each object with its bytes, or with 0
 * when it gave up its content.
 */
export function admitted(world: readonly Written[], objects: number, bytes: number): Readonly<Record<string, number>> {
  const inRoom = new Map(world.map((object) => [object, object.bytes]));
  const most = (held: (object: Written) => number): readonly Written[] => {
    const groups = [...Map.groupBy(inRoom.keys(), namespaceOf)];
    const sum = (all: readonly Written[]): number => all.reduce((total, object) => total + held(object), 0);
    return groups.toSorted(([a, one], [b, other]) => sum(other) - sum(one) || (a < b ? 1 : -1))[0]?.[1] ?? [];
  };
  const last = (all: readonly Written[], compare: (a: Written, b: Written) => number): Written | undefined =>
    all.toSorted(compare).at(-1);
  while (inRoom.size > objects) {
    const youngest = last(
      most(() => 1),
      byAge,
    );
    if (youngest !== undefined) inRoom.delete(youngest);
  }
  while ([...inRoom.values()].reduce((sum, kept) => sum + kept, 0) > bytes) {
    const contents = most((object) => inRoom.get(object) ?? 0).filter((object) => inRoom.get(object) !== 0);
    const largest = last(contents, (a, b) => a.bytes - b.bytes || byAge(a, b));
    if (largest !== undefined) inRoom.set(largest, 0);
  }
  const entries = [...inRoom].map(([{ name }, kept]): [string, number] => [name, kept]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function byAge(a: Written, b: Written): number {
  return (a.created ?? '').localeCompare(b.created ?? '') || (a.name < b.name ? -1 : 1);
}
