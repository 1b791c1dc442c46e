import { describe, expect, it } from 'vitest';
import type { NamespaceLabels } from '../../../src/resources/model.ts';
import { AMBIGUOUS, type Mapping, object, problemsOf, resource } from '../objects.ts';

const written = (labels: unknown): Mapping => object('Namespace', undefined, { metadata: { name: 'here', labels } });
const labelsOf = (labels: unknown): NamespaceLabels => resource('Namespace', written(labels)).labels;

describe('the labels of a Namespace', () => {
  it('are those of the object and the name label', () => {
    expect(labelsOf({ team: 'a', 'example.com/tier': '' })).toEqual({
      known: true,
      labels: Object.entries({ 'example.com/tier': '', 'kubernetes.io/metadata.name': 'here', team: 'a' }),
    });
  });

  it.each([undefined, null, {}])('are just the name label in %j', (labels) => {
    expect(labelsOf(labels)).toEqual({ known: true, labels: [['kubernetes.io/metadata.name', 'here']] });
  });

  it('never take the name label from the object', () => {
    const lie = { 'kubernetes.io/metadata.name': 'there' };
    expect(labelsOf(lie)).toEqual({ known: true, labels: [['kubernetes.io/metadata.name', 'here']] });
    expect(problemsOf('Namespace', written(lie))).toEqual([
      'warning metadata.labels["kubernetes.io/metadata.name"] is "there", but is always "here": remove it.',
    ]);
    expect(problemsOf('Namespace', written({ 'kubernetes.io/metadata.name': 'here' }))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['a list', []],
    ['a string', 'team=a'],
    ['ambiguous', AMBIGUOUS],
    ['of a number', { team: 5 }],
    ['of a boolean', { team: true }],
    ['of null', { team: null }],
    ['of an ambiguous value', { good: 'a', team: AMBIGUOUS }],
    ['of a mapping', { team: {} }],
    ['of a name that cannot be read', { 'kubernetes.io/metadata.name': 5 }],
    ['of a value that is no label value', { team: 'a b' }],
    ['of a key that is no label key', { 'a b': 'c' }],
    ['of an inherited key', JSON.parse('{"__proto__":"a"}')],
  ])('are unknown when they are %s', (_, labels) => {
    expect(labelsOf(labels)).toEqual({ known: false });
    expect(problemsOf('Namespace', written(labels))).toContainEqual(expect.stringMatching(/^error metadata\.labels/));
  });

  it('are unknown when there are more than 256', () => {
    const many = (count: number): Mapping =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`l${at}`, 'x']));
    expect(labelsOf(many(256))).toMatchObject({ known: true });
    expect(labelsOf(many(257))).toEqual({ known: false });
    expect(problemsOf('Namespace', written(many(257)))).toEqual([
      'error metadata.labels has 257 labels, and no selector matches a namespace with more than 256: remove some.',
    ]);
  });

  it('exclude inherited properties', () => {
    const decoded = labelsOf({ toString: 'mine' });
    expect(decoded).toMatchObject({
      labels: Object.entries({ 'kubernetes.io/metadata.name': 'here', toString: 'mine' }),
    });
  });
});
