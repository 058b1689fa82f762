/** All actions (manual 4.3). */
import { Table } from '../config/table.ts';
import type { ActionRow, RuleDraft } from './action.ts';
import { BANDWIDTH_ACTIONS } from './action-bandwidth.ts';
import { FLOW_ACTIONS } from './actions-flow.ts';
import { HEADER_ACTIONS } from './actions-headers.ts';
import { LATER_ACTIONS } from './actions-later.ts';
import { SERVICE_ACTIONS } from './actions-service.ts';
import { SETTING_ACTIONS } from './actions-settings.ts';
import { LINE_ACTIONS } from './actions-uri.ts';
import { VALUE_ACTIONS } from './actions-vars.ts';

export const ACTIONS: readonly ActionRow[] = [
  ...FLOW_ACTIONS,
  ...HEADER_ACTIONS,
  ...LINE_ACTIONS,
  ...SETTING_ACTIONS,
  ...BANDWIDTH_ACTIONS,
  ...VALUE_ACTIONS,
  ...SERVICE_ACTIONS,
  ...LATER_ACTIONS,
];

export const ACTION_TABLE = new Table<RuleDraft>(ACTIONS);

const BY_NAME = new Map(ACTIONS.map(row => [row.name, row]));

/** The row of a rule that was read. */
export function actionNamed(name: string): ActionRow {
  return BY_NAME.get(name)!;
}
