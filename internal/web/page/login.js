// Signs in without leaving the page when the password is wrong. Without this script the
// form does the same, with less to read.
const form = document.querySelector('form');
const refusal = document.getElementById('refusal');
const wrong = 'That password is wrong.';

function refuse(text) {
  refusal.hidden = false;
  refusal.textContent = text;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  refusal.hidden = true;
  try {
    const response = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    if (!response.ok) refuse(await response.text()); // too many tries
    else if (new URL(response.url).searchParams.has('failed')) refuse(wrong);
    else location.assign('/');
  } catch {
    refuse('The ps4kit server does not answer.');
  }
  form.elements.password.select();
});

if (new URLSearchParams(location.search).has('failed')) refuse(wrong);
