import { create, toBinary } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { type DescriptorIndex, indexDescriptors } from '../../../../src/serve/operators/reflection/descriptor-index.ts';

const label = FieldDescriptorProto_Label.OPTIONAL;
const type = FieldDescriptorProto_Type.STRING;

/** An extensible message and two files that extend it: one on the top level, one inside a message. */
const set = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'open.proto',
      package: 'a',
      messageType: [
        {
          name: 'Open',
          field: [{ name: 'own', number: 1, label, type }],
          extensionRange: [{ start: 7, end: 10 }],
          nestedType: [{ name: 'Inner' }],
        },
      ],
    },
    {
      name: 'outer.proto',
      package: 'a',
      dependency: ['open.proto'],
      extension: [{ name: 'x', extendee: '.a.Open', number: 7, label, type }],
    },
    {
      name: 'bare.proto',
      dependency: ['open.proto'],
      messageType: [{ name: 'Home', extension: [{ name: 'y', extendee: '.a.Open', number: 9, label, type }] }],
      enumType: [{ name: 'Colour', value: [{ name: 'RED' }] }],
      service: [{ name: 'Painter', method: [{ name: 'Paint', inputType: '.Home', outputType: '.Home' }] }],
    },
  ],
});
const index: DescriptorIndex = indexDescriptors(toBinary(FileDescriptorSetSchema, set));

describe('the index of a descriptor set', () => {
  it.each([
    ['a.Open', 'open.proto'],
    ['a.Open.own', 'open.proto'],
    ['a.Open.Inner', 'open.proto'],
    ['a.x', 'outer.proto'],
    ['Home', 'bare.proto'],
    ['Home.y', 'bare.proto'],
    ['Colour', 'bare.proto'],
    ['RED', 'bare.proto'],
    ['Painter.Paint', 'bare.proto'],
    ['Open', undefined],
    ['a', undefined],
    ['', undefined],
    ['Colour.RED', undefined],
  ])('finds %s in %s', (symbol, file) => {
    expect(index.declaring(symbol)?.name).toBe(file);
  });

  it('finds the extensions of a message, on the top level and nested', () => {
    const extensions = [...(index.extensionsOf('a.Open') ?? [])].map(([number, { name }]) => [number, name]);
    expect(extensions).toEqual([
      [7, 'outer.proto'],
      [9, 'bare.proto'],
    ]);
    expect(index.extensionsOf('a.Open.Inner')?.size).toBe(0);
    expect(index.extensionsOf('a.Nobody')).toBeUndefined();
  });

  it('has the imports of a file', () => {
    expect(index.file('outer.proto')?.dependencies).toEqual(['open.proto']);
    expect(index.file('nobody.proto')).toBeUndefined();
  });
});
