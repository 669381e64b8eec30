"""The program: seven stages and the workflow that runs them in order.

| stage   | picks up                                | leaves                                                  |
|---------|-----------------------------------------|---------------------------------------------------------|
| scan    | files in ingest that stopped changing   | assets `discovered`, groups by (folder, stem)           |
| dedup   | `discovered`                            | `unique`, or `duplicate` of an original                 |
| inspect | `unique`, not inspected                 | capture time, content identifiers                       |
| batch   | inspected groups, no open batch         | batch `PENDING`, assets `batched`, manifest             |
| sync    | `PENDING`, `SYNCING`                    | `SYNCED` when every file is proven, assets `delivered`  |
| sort    | `SYNCED`, `SORTING`                     | `SORTED`, assets `archived`                             |
| cleanup | sorted batches, stale temps, old trash  | what is empty or expired is removed                     |
| any     | a batch whose stage failed              | batch `ERROR` with its reason and a way to retry        |

A stage reads its work from rows and leaves its results in rows, so each can run alone, be stopped, and run twice.
Stages never import each other; app/pipeline/workflow.py alone knows their order.
"""
