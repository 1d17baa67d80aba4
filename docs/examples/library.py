"""Uses target_gainsight.api as a library: describes an object, adds a company, reads it back.

GAINSIGHT_URL=https://mycompany.gainsightcloud.com GAINSIGHT_ACCESS_KEY=... python library.py
"""

from __future__ import annotations

import os
import sys

from target_gainsight.api import (
    AccessKey,
    GainsightClient,
    GainsightError,
    Record,
    RefusedError,
    is_in,
)


def main() -> int:
    """Add a company and read it back; return 1 if the tenant refuses it."""
    key = AccessKey(os.environ["GAINSIGHT_ACCESS_KEY"])
    with GainsightClient(os.environ["GAINSIGHT_URL"], key) as client:
        company = client.metadata.describe("Company")
        required = [field.name for field in company.fields if field.required]
        print(f"{company.name} has {len(company.fields)} fields, required: {', '.join(required)}")
        initech: Record = {"Name": "Initech", "Employees": 120}
        try:
            response = client.records.insert("Company", [initech])
        except RefusedError as refusal:
            for failure in refusal.failures:
                print(f"{failure.field} = {failure.value!r}: {failure.message}")
            return 1
        print(f"{response.count} created")
        is_initech = is_in("Name", ["Initech"])
        select = ["Name", "Employees"]
        for row in client.records.query("Company", select=select, where=is_initech):
            print(f"{row['Name']} has {row['Employees']} employees")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GainsightError as error:
        sys.exit(str(error))
