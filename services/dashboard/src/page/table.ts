/** A table that scrolls by itself, by keyboard too, so that no page is wider than its window. */
import { html, type Html } from './html.ts';

export const table = (label: string, columns: readonly (Html | string)[], rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0" role="group" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${columns.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
