// Headings of tables become buttons that sort: by falling value first where a column
// holds numbers, then by rising value, then as the table was. What has no number comes
// last in both orders, dashes last of all; equal values keep the order of the table.
(function () {
  'use strict';
  document.querySelectorAll('table.sortable').forEach(function (table) {
    var bodies = Array.prototype.slice.call(table.tBodies);
    var groups = bodies.map(function (b) { return Array.prototype.slice.call(b.rows); });
    var rows = Array.prototype.concat.apply([], groups);
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var says = document.createElement('p');
    says.className = 'unseen';
    says.setAttribute('role', 'status');
    table.parentNode.parentNode.appendChild(says);

    // Rank 0 has a key, 1 is other text, 2 a dash.
    function key(row, column, numeric) {
      var cell = row.cells[column];
      if (cell.hasAttribute('data-none')) { return { rank: 2, value: 0 }; }
      if (!numeric) { return { rank: 0, value: cell.querySelector('.v').textContent }; }
      var v = cell.getAttribute('data-v');
      return v === null ? { rank: 1, value: 0 } : { rank: 0, value: parseFloat(v) };
    }
    function compare(a, b, numeric) {
      return numeric ? a - b : a.localeCompare(b, 'en', { numeric: true });
    }
    function sort(column, order) {
      heads.forEach(function (h, i) { h.setAttribute('aria-sort', i === column ? order : 'none'); });
      if (order === 'none') {
        bodies.forEach(function (b, i) { groups[i].forEach(function (r) { b.appendChild(r); }); });
        return;
      }
      var numeric = heads[column].classList.contains('n');
      var sign = order === 'ascending' ? 1 : -1;
      rows.map(function (r, i) { return { row: r, at: i, key: key(r, column, numeric) }; })
        .sort(function (a, b) {
          return a.key.rank - b.key.rank ||
            (a.key.rank === 0 ? sign * compare(a.key.value, b.key.value, numeric) : 0) ||
            a.at - b.at;
        })
        .forEach(function (x) { bodies[0].appendChild(x.row); });
    }
    heads.forEach(function (h, i) {
      var button = document.createElement('button');
      button.type = 'button';
      while (h.firstChild) { button.appendChild(h.firstChild); }
      h.appendChild(button);
      h.setAttribute('aria-sort', 'none');
      button.addEventListener('click', function () {
        var turn = h.classList.contains('n') ? ['descending', 'ascending', 'none'] : ['ascending', 'descending', 'none'];
        var next = turn[(turn.indexOf(h.getAttribute('aria-sort')) + 1) % 3];
        sort(i, next);
        says.textContent = next === 'none' ? 'In the order of the report' : 'Sorted by ' + button.textContent + ', ' + next;
      });
    });
  });
})();
