// The server leads back here with ?failed after a wrong password.
document.getElementById('refusal').hidden = !new URLSearchParams(location.search).has('failed');
