import { describe, expect, it } from 'vitest';
import { type Election, nextElection } from '../../../src/status/leader/election.ts';
import type { Lease } from '../../../src/status/leader/lease-client.ts';

function lease(holder: string, renewed = '1', transitions = 0): Lease {
  return { holder, renewed, transitions, object: { metadata: { resourceVersion: `${holder}${renewed}` } } };
}

const idle: Election = { kind: 'following', observed: undefined };
const leading: Election = { kind: 'leading', lease: lease('me'), renewed: 5 };

function following(seen: Lease, expired = false): Election {
  return { kind: 'following', observed: { lease: seen, expired } };
}

describe('an election', () => {
  it.each([
    { title: 'a Lease of somebody else begins its time', from: idle, lease: lease('a'), to: following(lease('a')) },
    { title: 'a Lease of nobody may be taken', from: idle, lease: lease(''), to: following(lease(''), true) },
    {
      title: 'a Lease of this replica may be taken back',
      from: idle,
      lease: lease('me'),
      to: following(lease('me'), true),
    },
    {
      title: 'a record that stood still stays expired',
      from: following(lease('a'), true),
      lease: lease('a'),
      to: following(lease('a'), true),
    },
    {
      title: 'a renewed record begins its time anew',
      from: following(lease('a'), true),
      lease: lease('a', '2'),
      to: following(lease('a', '2')),
    },
    {
      title: 'a record of another holder begins its time anew',
      from: following(lease('a'), true),
      lease: lease('b'),
      to: following(lease('b')),
    },
    {
      title: "a leader that sees another's record follows",
      from: leading,
      lease: lease('a'),
      to: following(lease('a')),
    },
    {
      title: 'a leader that sees its own record goes on as before',
      from: leading,
      lease: lease('me', '9'),
      to: { kind: 'leading', lease: lease('me', '9'), renewed: 5 } satisfies Election,
    },
  ])('$title', ({ from, lease: seen, to }) => {
    expect(nextElection(from, { kind: 'observed', lease: seen }, 'me')).toEqual(to);
  });

  it('is won by writing the Lease', () => {
    const event = { kind: 'acquired', lease: lease('me'), sent: 7 } as const;
    expect(nextElection(following(lease('a'), true), event, 'me')).toEqual({ ...leading, renewed: 7 });
  });

  it('is lost when the Lease is gone, or was not renewed in time', () => {
    expect(nextElection(leading, { kind: 'absent' }, 'me')).toEqual(idle);
    expect(nextElection(leading, { kind: 'overdue' }, 'me')).toEqual(idle);
  });

  it('lets a record expire that stood still, and nothing else', () => {
    expect(nextElection(following(lease('a')), { kind: 'expired' }, 'me')).toEqual(following(lease('a'), true));
    expect(nextElection(idle, { kind: 'expired' }, 'me')).toEqual(idle);
    expect(nextElection(leading, { kind: 'expired' }, 'me')).toEqual(leading);
  });

  it('is not lost by a follower that is late', () => {
    expect(nextElection(following(lease('a')), { kind: 'overdue' }, 'me')).toEqual(following(lease('a')));
  });
});
