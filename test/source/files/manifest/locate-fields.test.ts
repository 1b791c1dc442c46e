import { describe, expect, it } from 'vitest';
import { locateFields } from '../../../../src/source/files/manifest/locate-fields.ts';
import { parseManifest } from '../../../../src/source/files/manifest/parse-manifest.ts';

const text = `# a comment
kind: Namespace
apiVersion: v1
metadata: &meta
  name: a
  labels: { team: red }
---
apiVersion: v1
kind: List
items:
- kind: Service
  apiVersion: v1
  metadata: { name: s }
  spec:
    ports:
    - port: 80
      appProtocol: mcp
    - port: 81
- { kind: Namespace, apiVersion: v1, metadata: { name: b, labels: { "a/b": c } } }
`;

function objects(): readonly { readonly line: number; readonly column: number }[] {
  const manifest = parseManifest(text, []);
  return manifest.ok ? manifest.objects.map(({ position }) => position) : [];
}

describe('the position of a field', () => {
  it.each([
    [0, ['metadata', 'labels', 'team'], '6:13'],
    [0, ['metadata', 'name'], '5:3'],
    [1, ['spec', 'ports', 0, 'appProtocol'], '17:7'],
    [1, ['spec', 'ports', 1, 'appProtocol'], '18:7'],
    [1, ['spec', 'ports', 7], '15:5'],
    [1, ['spec', 'type'], '14:3'],
    [2, ['metadata', 'labels', 'a/b'], '19:69'],
    [2, [], '19:3'],
  ])('of object %i, %j, is found', (object, path, place) => {
    const position = objects()[object];
    if (position === undefined) throw new Error('there is no such object');
    const [{ line, column } = position] = locateFields(text, [{ object: position, path }]);
    expect(`${line}:${column}`).toBe(place);
  });

  it('is found for many fields in one pass, in any order', () => {
    const fields = objects().flatMap((object) => [
      { object, path: ['metadata', 'name'] },
      { object, path: [] },
    ]);
    const places = locateFields(text, fields.toReversed()).map(({ line }) => line);
    expect(places).toEqual([19, 19, 11, 13, 2, 5]);
  });

  it.each(['', 'a: [', `${text}\n---\n"`, 'kind: List\napiVersion: v1\nitems: [5]'])(
    'is that of the object when the text has changed to %j',
    (changed) => {
      const object = { line: 100, column: 1 };
      expect(locateFields(changed, [{ object, path: ['spec'] }])).toEqual([object]);
    },
  );
});
