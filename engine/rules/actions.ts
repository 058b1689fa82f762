/** All actions (manual 4.3). */
import type { Cursor } from '../config/cursor.ts';
import { Table } from '../config/table.ts';
import type { ActionRow, RuleDraft } from './action.ts';
import { BANDWIDTH_ACTIONS } from './action-bandwidth.ts';
import { FLOW_ACTIONS } from './actions-flow.ts';
import { HEADER_ACTIONS } from './actions-headers.ts';
import { HEADER_BIN_ACTIONS } from './actions-headers-bin.ts';
import { LATER_ACTIONS } from './actions-later.ts';
import { LOG_ACTIONS } from './actions-log.ts';
import { MARK_ACTIONS } from './actions-marks.ts';
import { PATTERN_ACTIONS } from './actions-patterns.ts';
import { RESOLVE_ACTIONS } from './actions-resolve.ts';
import { SERVICE_ACTIONS } from './actions-service.ts';
import { SETTING_ACTIONS } from './actions-settings.ts';
import { moreTracking, STICK_ACTIONS } from './actions-stick.ts';
import { LINE_ACTIONS } from './actions-uri.ts';
import { VALUE_ACTIONS } from './actions-vars.ts';

export const ACTIONS: readonly ActionRow[] = [
  ...FLOW_ACTIONS,
  ...HEADER_ACTIONS,
  ...HEADER_BIN_ACTIONS,
  ...LINE_ACTIONS,
  ...LOG_ACTIONS,
  ...SETTING_ACTIONS,
  ...MARK_ACTIONS,
  ...BANDWIDTH_ACTIONS,
  ...VALUE_ACTIONS,
  ...RESOLVE_ACTIONS,
  ...STICK_ACTIONS,
  ...PATTERN_ACTIONS,
  ...SERVICE_ACTIONS,
  ...LATER_ACTIONS,
];

export const ACTION_TABLE = new Table<RuleDraft>(ACTIONS);

/** Takes an action from a line; null = there is none of that name. */
export function takeAction(cursor: Cursor): ActionRow | null {
  const row = ACTION_TABLE.take(cursor) as ActionRow | null;
  const more = row ?? moreTracking(cursor.peek()?.text ?? '');
  if (row === null && more !== null) cursor.index++;
  return more;
}

const BY_NAME = new Map(ACTIONS.map(row => [row.name, row]));

/** The row of a rule that was read. */
export function actionNamed(name: string): ActionRow {
  return BY_NAME.get(name) ?? moreTracking(name)!;
}
