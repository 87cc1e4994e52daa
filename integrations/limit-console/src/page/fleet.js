// The limit over a fleet, and who has which share.

import { fillTable } from './cards.js';
import { byId, show } from './elements.js';
import { count, duration, seconds } from './format.js';

const MEMBERS = 200; // processes of a fleet that are listed at most

/** Shows what the ledgers said last, and who has which share. */
export function fillFleet({ scope }, ledgers) {
  for (const id of ['fleet', 'shares']) show(byId(id), scope === 'fleet');
  const keyOf = ({ key }) => key ?? 'the limiter';
  // Without keys there is one ledger, and no need to say for what.
  const isWhole = ledgers.every(({ key }) => key === null);
  for (const id of ['fleet', 'shares']) byId(id).classList.toggle('whole', isWhole);
  fillTable('ledgers', ledgers.map(ledger => {
    const { granted, refused, failed } = ledger.renewals;
    const limit = ledger.nodes === 0 ? '–' : count(ledger.limit);
    // With a digit after the point, so that the columns stay where they are.
    const left = ledger.lease_left === null ? 'none' : `${seconds(ledger.lease_left).toFixed(1)} s`;
    return [keyOf(ledger), `${count(ledger.in_use)} / ${limit}`, count(ledger.share), count(ledger.nodes), count(ledger.queued), left,
      count(granted), count(refused), count(failed), duration(seconds(ledger.store_time)), ledger.learning ? 'learning' : 'gives out'];
  }), 'No fleet was started, or nobody has called yet.');

  const rows = ledgers.flatMap(ledger => {
    const members = ledger.members.toSorted((a, b) => b.here - a.here);
    const known = members.map(({ node, here, share, running, want }) =>
      [here ? `this process: ${node}` : node, keyOf(ledger), count(share), count(running), count(want)]);
    // The table has its height before the members are told.
    const unknown = Array(members.length > 0 ? 0 : ledger.nodes).fill(['not told yet', keyOf(ledger), '–', '–', '–']);
    return [...known, ...unknown];
  });
  const more = rows.length - MEMBERS;
  if (more > 0) rows.splice(MEMBERS, more, [`${count(more)} more`, '', '', '', '']);
  fillTable('members', rows, 'No process is known.');
  for (const row of byId('members').rows) row.classList.toggle('here', row.cells[0].textContent.startsWith('this process'));
}
