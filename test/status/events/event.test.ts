import { describe, expect, it } from 'vitest';
import { eventName, eventNote, reportingController } from '../../../src/status/events/event.ts';

describe('the note of an Event', () => {
  it.each(['', 'short', 'ü'.repeat(512), 'a'.repeat(1_024)])('is unchanged when it fits', (text) => {
    expect(eventNote(text)).toBe(text);
  });

  it.each(['a', 'ü', '€', '😀'])('is truncated to 1,024 bytes, never within a character: %s', (character) => {
    for (const shift of ['', 'x', 'xx', 'xxx']) {
      const note = eventNote(`${shift}${character.repeat(1_100)}`);
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
      expect(Buffer.byteLength(note)).toBeGreaterThan(1_016);
      expect(note).toMatch(new RegExp(`^x*(${character})+…$`, 'u'));
    }
  });

  it('is well-formed', () => {
    expect(eventNote('a\uD83D')).toBe('a\uFFFD');
  });
});

describe('the name of an Event', () => {
  it.each([
    ['gw', 'gw.1a'],
    ['a'.repeat(253), `${'a'.repeat(250)}.1a`],
    [`${'a'.repeat(249)}.b`, `${'a'.repeat(249)}.1a`],
    [`${'a'.repeat(248)}--bb`, `${'a'.repeat(248)}.1a`],
  ])('for an object %s is a DNS name', (object, name) => {
    expect(eventName(object, '1a')).toBe(name);
  });
});

describe('the reporting controller of an Event', () => {
  it.each([
    ['kgateway.dev/kgateway', 'kgateway.dev/kgateway'],
    ['example.com/team/gatehouse', 'example.com/team-gatehouse'],
    ["example.com/a~b%20c!$&'()*+,;=:d", 'example.com/a-b-20c-d'],
    ['example.com/.a_', 'example.com/a'],
    [`example.com/${'a'.repeat(62)}/b`, `example.com/${'a'.repeat(62)}`],
    [`${'d'.repeat(120)}.io/${'a'.repeat(60)}`, `${'d'.repeat(120)}.io/aaaa`],
    [`${'d'.repeat(130)}/a`, 'gatehouse'],
    ['example.com/~', 'gatehouse'],
    ['', 'gatehouse'],
  ])('%s is a qualified name', (controller, reporter) => {
    expect(reportingController(controller)).toBe(reporter);
  });
});
