"""People: one person per call, upserted by email (People API)."""

from __future__ import annotations

from dataclasses import dataclass

from target_gainsight.api.http.call import Call
from target_gainsight.api.http.json_codec import Record, as_mapping, as_text
from target_gainsight.api.http.responses import Send

_PATH = "/v1/peoplemgmt/v1.0/people"


@dataclass(frozen=True)
class PersonResponse:
    """A person that was written. The GSID is None if the response does not name it."""

    gsid: str | None
    request_id: str | None


class PeopleApi:
    """Writes people."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def upsert(self, person: Record) -> PersonResponse:
        """Create or update the person with this email (People API).

        Its fields are flat; `companies` links to existing companies by `Company_ID`.

        Raises:
            RefusedError: Nothing was written.
        """
        response = self._send(Call("PUT", _PATH, kind="person", json=person))
        written = as_mapping(response.data)
        gsid = as_text(written.get("Gsid")) or as_text(written.get("gsid"))
        return PersonResponse(gsid, response.request_id)
