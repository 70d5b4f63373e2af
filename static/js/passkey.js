// Passkeys. A form that says data-passkey="create" or "get" is answered by the device: what to ask for comes from data-options,
// the answer goes into the hidden field that data-answer names, and the form is sent on. Without this file the page says what else works.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const described = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function asked(form) {
  const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" }, redirect: "error" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function create(form) {
  const options = await asked(form);
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    },
  });
  return {
    id: made.id, rawId: text(made.rawId), type: made.type,
    response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject) },
  };
}

async function get(form) {
  const options = await asked(form);
  const given = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = given.response;
  return {
    id: given.id, rawId: text(given.rawId), type: given.type,
    response: {
      clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature),
      ...(userHandle ? { userHandle: text(userHandle) } : {}),
    },
  };
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const failed = form.querySelector("[data-failed]");
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      form.elements[form.dataset.answer].value = JSON.stringify(await (form.dataset.passkey === "create" ? create(form) : get(form)));
      form.submit();
    } catch {
      failed.hidden = false;
      button.disabled = false;
    }
  });
}
