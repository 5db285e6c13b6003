// Dragging a row of a list to another place, by mouse, pen or finger. The buttons "move
// up" and "move down" do the same by keyboard.

// draggable lets the handle move its row; moved gets the ids in their new order.
export function draggable(handle, row, list, moved) {
  handle.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    row.classList.add('dragged');
    const before = order(list);

    // The others move past the row: a node that is moved itself loses the pointer.
    function drag({ clientY }) {
      const above = row.previousElementSibling;
      const below = row.nextElementSibling;
      if (above && clientY < middle(above)) row.after(above);
      else if (below && clientY > middle(below)) row.before(below);
    }
    function drop() {
      handle.removeEventListener('pointermove', drag);
      row.classList.remove('dragged');
      const after = order(list);
      if (after.join() !== before.join()) moved(after);
    }
    handle.addEventListener('pointermove', drag);
    handle.addEventListener('lostpointercapture', drop, { once: true });
  });
}

function middle(row) {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
}

const order = (list) => [...list.children].map((row) => row.dataset.id);
