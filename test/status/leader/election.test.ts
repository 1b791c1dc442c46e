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
    {
      title: 'starts the expiry of a Lease of another holder',
      from: idle,
      lease: lease('a'),
      to: following(lease('a')),
    },
    { title: 'may acquire a Lease without a holder', from: idle, lease: lease(''), to: following(lease(''), true) },
    {
      title: 'may acquire its own Lease again',
      from: idle,
      lease: lease('me'),
      to: following(lease('me'), true),
    },
    {
      title: 'keeps an unchanged record expired',
      from: following(lease('a'), true),
      lease: lease('a'),
      to: following(lease('a'), true),
    },
    {
      title: 'starts the expiry of a renewed record',
      from: following(lease('a'), true),
      lease: lease('a', '2'),
      to: following(lease('a', '2')),
    },
    {
      title: 'starts the expiry of a record of a new holder',
      from: following(lease('a'), true),
      lease: lease('b'),
      to: following(lease('b')),
    },
    {
      title: "follows when the leader sees another holder's record",
      from: leading,
      lease: lease('a'),
      to: following(lease('a')),
    },
    {
      title: 'goes on leading when the leader sees its own record',
      from: leading,
      lease: lease('me', '9'),
      to: { kind: 'leading', lease: lease('me', '9'), renewed: 5 } satisfies Election,
    },
  ])('$title', ({ from, lease: seen, to }) => {
    expect(nextElection(from, { kind: 'observed', lease: seen }, 'me')).toEqual(to);
  });

  it('is won by a successful write of the Lease', () => {
    const event = { kind: 'acquired', lease: lease('me'), sent: 7 } as const;
    expect(nextElection(following(lease('a'), true), event, 'me')).toEqual({ ...leading, renewed: 7 });
  });

  it('is lost when the Lease is gone, or at the renew deadline', () => {
    expect(nextElection(leading, { kind: 'absent' }, 'me')).toEqual(idle);
    expect(nextElection(leading, { kind: 'overdue' }, 'me')).toEqual(idle);
  });

  it('marks only an observed record as expired', () => {
    expect(nextElection(following(lease('a')), { kind: 'expired' }, 'me')).toEqual(following(lease('a'), true));
    expect(nextElection(idle, { kind: 'expired' }, 'me')).toEqual(idle);
    expect(nextElection(leading, { kind: 'expired' }, 'me')).toEqual(leading);
  });

  it('ignores the renew deadline on a follower', () => {
    expect(nextElection(following(lease('a')), { kind: 'overdue' }, 'me')).toEqual(following(lease('a')));
  });
});
